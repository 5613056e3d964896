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
TAKES_SOFTWARE = "0.10.21"
EVERY = sorted(HERE.glob("in_*/test_*.py"))
ON_GPU = [path for path in EVERY if path.stem.startswith("test_gpu_")]
IN_BROWSER = [path for path in EVERY if path.parent.name == "in_web"]
FILES = [path for path in EVERY if path not in (*ON_GPU, *IN_BROWSER)]
RUN = HERE.parent / "support" / "inside" / "run.py"
MAKE_REFUSED = RUN.with_name("refused.py")


def smallest(files: Mapping[str, Path]) -> Path:
    """The picture that costs a test least."""
    return min(files.values(), key=lambda path: path.stat().st_size)


def name_of(file: Path) -> str:
    """What the tests of a file are called."""
    return f"{file.parent.name}-{file.stem}"


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_file(file: Path, store_home: Path) -> None:
    passes(file, store_home)


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize("file", ON_GPU, ids=name_of)
def test_file_on_the_gpu(file: Path, store_home: Path) -> None:
    edition = workshop(store_home).prepare("verify").candidate.edition.name
    if edition != TAKES_SOFTWARE:
        pytest.skip(
            f"the MediaPipe of verify {edition} computes on no software, and {TAKES_SOFTWARE} has no Python here"
        )
    passes(file, store_home)


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.parametrize("file", IN_BROWSER, ids=name_of)
def test_file_in_the_browser(file: Path, browser: str, store_home: Path, tmp_path: Path) -> None:
    shop, refused = workshop(store_home), tmp_path / "refused.task"
    python = shop.prepare("verify").built.layout.python
    (face,) = shop.sample("face_landmarker").values()
    subprocess.run([python, "-I", "-B", MAKE_REFUSED, face, refused], check=True, capture_output=True)
    passes(file, store_home, ENVGUARD_TEST_BROWSER_PROGRAM=browser, ENVGUARD_TEST_REFUSED=str(refused))


def passes(file: Path, store_home: Path, **told: str) -> None:
    """Run the cases of the file in their environment; every one must pass, and none be skipped."""
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
        env={**step_variables(os.environ), **samples, **told},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "skipped" not in run.stderr, run.stderr
