"""What the lint says of the road `gpu` is what MediaPipe's GPU delegate does there: asked about every model at hand."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from envguard.host.variables import step_variables
from tests.support.environments import workshop

INSIDE = Path(__file__).parents[1] / "support" / "inside"
BUNDLES = ("face_landmarker", "hand_landmarker", "pose_landmarker", "gesture_recognizer")
SEED, SWEEP = 20261126, 120
"""The rules were made on other graphs: this sweep is held out."""

pytestmark = [pytest.mark.network, pytest.mark.slow]


@dataclass(frozen=True)
class Answer:
    """Of one model: what the lint says, and what the delegate said."""

    name: str
    verdict: str
    words: tuple[str, ...]
    said: str


@pytest.fixture(scope="module")
def answers(gpu: str, store_home: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Answer]:
    """Of the samples' models, those of MediaPipe's wheel, one graph for each rule, and a sweep."""
    assert gpu
    folder = tmp_path_factory.mktemp("roads")
    shop = replace(workshop(store_home), editions={"verify": "0.10.21"})
    verify = shop.prepare("verify").built.layout
    bundles = [next(iter(shop.sample(name).values())) for name in BUNDLES]
    wheel = sorted((verify.site_packages / "mediapipe").rglob("*.tflite"))
    quantize = shop.prepare("quantize").built.layout
    run(quantize.python, INSIDE / "lint_models.py", folder, SEED, SWEEP, *bundles, *wheel)
    run(verify.python, INSIDE / "ask_delegate.py", folder)
    said = json.loads((folder / "said.json").read_text())
    lints = json.loads((folder / "lints.json").read_text())
    return [
        Answer(lint["name"], lint["verdict"], tuple(lint["words"]), said[file])
        for file, lint in lints.items()
        if file in said
    ]


def run(*command: object) -> None:
    done = subprocess.run(
        [str(command[0]), "-I", "-B", *map(str, command[1:])],
        env=step_variables(os.environ),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_model_that_the_lint_calls_taken_is_refused_nor_the_reverse(answers: list[Answer]) -> None:
    wrong = [each for each in answers if (each.verdict == "taken") != (not each.said)]
    assert not wrong, "\n".join(f"{each.name}: {each.verdict} {each.words}, but: {each.said}" for each in wrong)


def test_every_kind_of_model_was_asked_about_and_both_answers_occur(answers: list[Answer]) -> None:
    names = [each.name for each in answers]
    assert sum(name.startswith("case ") for name in names) > 120
    assert sum(name.startswith("sweep") for name in names) == SWEEP
    assert sum(".tflite " in name for name in names) == 14
    assert sum(".task " in name for name in names) == 8
    assert 50 < sum(not each.said for each in answers) < len(answers) - 50
