"""A driver that is updated gives another hash, whatever else lies beside it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from envguard.host.graphics import drivers


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere they are not known")
@pytest.mark.parametrize(
    ("name", "draws"),
    [("dri/swrast_dri.so", True), ("libEGL.so.1", True), ("libgallium-25.0.7-2.so", True),
     ("libnvidia-eglcore.so.550.1", True), ("libz.so.1", False)],
)  # fmt: skip
def test_only_what_draws_makes_another_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, draws: bool
) -> None:
    monkeypatch.setattr(drivers, "system_folders", lambda: (tmp_path, tmp_path / "none"))
    library = tmp_path / name
    library.parent.mkdir(exist_ok=True)
    library.write_text("old")
    before = drivers.graphics_drivers()
    assert drivers.graphics_drivers() == before != ""
    library.write_text("newer")
    assert (drivers.graphics_drivers() != before) == draws
