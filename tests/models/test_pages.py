"""A run's page from end to end, whatever the model is called; one of a no is in `test_quantize_task`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.support.command import envguard
from tests.support.environments import workshop

pytestmark = [pytest.mark.network, pytest.mark.slow]

HOSTILE = "<img src=x onerror=alert(1)>.tflite"


@pytest.fixture(scope="module")
def detector(store_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model that is no bundle, with a name that is markup."""
    modules = workshop(store_home).prepare("verify").built.layout.site_packages / "mediapipe" / "modules"
    (source,) = modules.rglob("face_detection_short_range.tflite")
    return Path(shutil.copy(source, tmp_path_factory.mktemp("models") / HOSTILE))


def test_a_page_and_its_document_are_written_beside_each_other(
    store_home: Path, detector: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out.tflite"
    ended = envguard(
        "run", "quantize", detector, "--for", "cpu", "-o", output, "--report", tmp_path / "pages", "--json",
        home=store_home,
    )  # fmt: skip
    assert ended.code == 0, ended.err
    assert sorted(path.name for path in (tmp_path / "pages").iterdir()) == ["report.html", "report.json"]
    assert json.loads((tmp_path / "pages" / "report.json").read_text()) == ended.document
    page = (tmp_path / "pages" / "report.html").read_text(encoding="utf-8")
    assert "<h1>&lt;img src=x onerror=alert(1)&gt;.tflite:" in page
    assert "<img" not in page
    assert ended.document["output"]["sha256"] in page
    assert ended.document["environments"][0]["lock"] in page
    assert f"{output}.receipt.json" in page
    assert "Time of every round, one thread." in page
    assert "takes .task bundles" in page or "did not verify it" in page
    assert "report: ok" in ended.err
