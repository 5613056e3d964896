"""The files that a run was calibrated with are inputs of that run: its receipt knows them, and it can be repeated."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.command import Ended, envguard
from tests.support.environments import workshop

pytestmark = [pytest.mark.network, pytest.mark.slow]

MODEL = "modules/face_detection/face_detection_short_range.tflite"
PICTURES = 8


@dataclass(frozen=True)
class Calibrated:
    """A run with `--calibration`: the store, the folder of its files, and its receipt."""

    home: Path
    folder: Path
    receipt: Path

    @property
    def pictures(self) -> Path:
        """What the run was calibrated with."""
        return self.folder / "pictures"

    def rebuilt_from(self, pictures: Path) -> Ended:
        """What `verify-receipt --rebuild` says if these are the pictures."""
        return envguard(
            "verify-receipt", self.receipt, "--rebuild", "--input", pictures, "--json", home=self.home, cwd=self.folder
        )


@pytest.fixture(scope="module")
def calibrated(store_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Calibrated:
    """A bare model, quantized with a folder of pictures."""
    folder = tmp_path_factory.mktemp("calibrated")
    shop = workshop(store_home)
    model, output = folder / "model.tflite", folder / "model.int8.tflite"
    shutil.copyfile(shop.prepare("verify").built.layout.site_packages / "mediapipe" / MODEL, model)
    run = Calibrated(store_home, folder, folder / "model.int8.tflite.receipt.json")
    run.pictures.mkdir()
    for picture in list(shop.sample("faces-calibration").values())[:PICTURES]:
        shutil.copyfile(picture, run.pictures / picture.name)
    ended = envguard(
        "run", "quantize", model, "--for", "cpu", "--calibration", run.pictures, "-o", output,
        home=store_home, cwd=folder,
    )  # fmt: skip
    assert ended.code == 0, ended.err
    return run


def test_a_receipt_records_what_a_run_was_calibrated_with(calibrated: Calibrated) -> None:
    recorded = json.loads(calibrated.receipt.read_text(encoding="utf-8"))["file_sets"]["calibration"]
    assert {each["file"] for each in recorded} == {each.name for each in calibrated.pictures.iterdir()}


def test_the_same_calibration_gives_the_same_bytes(calibrated: Calibrated) -> None:
    again = calibrated.rebuilt_from(calibrated.pictures)
    assert (again.code, again.document["verdict"]) == (0, "MATCH"), again.err


def test_a_changed_picture_is_not_what_the_run_was_calibrated_with(calibrated: Calibrated, tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    shutil.copytree(calibrated.pictures, pictures)
    changed, other, *_ = sorted(pictures.iterdir())
    shutil.copyfile(other, changed)
    refused = calibrated.rebuilt_from(pictures)
    assert refused.code == 3
    assert changed.name in refused.document["why"]
