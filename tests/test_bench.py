"""The benchmarks end when what they wait for has ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import bench


def test_a_run_that_ends_before_its_first_step_ends_the_benchmark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    launcher = tmp_path / "envguard"
    launcher.write_text("#!/bin/sh\necho 'envguard: No environment.' >&2\nexit 3\n")
    launcher.chmod(0o755)
    monkeypatch.setattr(bench, "LAUNCHER", str(launcher))
    with pytest.raises(RuntimeError, match=r"has ended \(3\)(?s:.*)envguard: No environment\."):
        bench.until_first_step(tmp_path)
