"""Every file of unittest cases passes inside the environment that its folder names."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from envguard.host.variables import step_variables
from tests.support.environments import workshop

HERE = Path(__file__).parent
FILES = sorted(HERE.glob("in_*/test_*.py"))
RUN = HERE.parent / "support" / "inside" / "run.py"


def smallest(files: Mapping[str, Path]) -> Path:
    """The picture that costs a test least."""
    return min(files.values(), key=lambda path: path.stat().st_size)


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.parametrize("file", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_file(file: Path, store_home: Path) -> None:
    shop = workshop(store_home)
    layout = shop.prepare(file.parent.name.removeprefix("in_")).built.layout
    mediapipe = shop.prepare("verify").built.layout.site_packages / "mediapipe"
    samples = {
        "ENVGUARD_TEST_BUNDLE": str(next(iter(shop.sample("face_landmarker").values()))),
        "ENVGUARD_TEST_HAND_BUNDLE": str(next(iter(shop.sample("hand_landmarker").values()))),
        "ENVGUARD_TEST_GESTURE_BUNDLE": str(next(iter(shop.sample("gesture_recognizer").values()))),
        "ENVGUARD_TEST_POSE_BUNDLE": str(next(iter(shop.sample("pose_landmarker").values()))),
        "ENVGUARD_TEST_PICTURES": os.pathsep.join(map(str, shop.sample("faces").values())),
        "ENVGUARD_TEST_HANDS": str(smallest(shop.sample("hands"))),
        "ENVGUARD_TEST_PEOPLE": str(smallest(shop.sample("people"))),
        "ENVGUARD_TEST_MODELS": str(mediapipe / "modules"),
    }
    run = subprocess.run(
        [layout.python, "-I", "-B", RUN, file],
        env={**step_variables(os.environ), **samples},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "skipped" not in run.stderr, run.stderr
