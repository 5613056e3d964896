"""Let MediaPipe name the colour cast of a picture: `look.py MODEL LESSON PICTURE REPORT`."""

import json
import sys
from importlib.metadata import version
from pathlib import Path

import mediapipe as mp
from casts import CASTS


def main(model: str, lesson: str, picture: str, report: str) -> None:
    options = mp.tasks.vision.ImageClassifierOptions(
        base_options=mp.tasks.BaseOptions(model_asset_buffer=Path(model).read_bytes())
    )
    with mp.tasks.vision.ImageClassifier.create_from_options(options) as classifier:
        (head,) = classifier.classify(mp.Image.create_from_file(picture)).classifications
    scores = {CASTS[each.index]: round(each.score, 3) for each in head.categories}
    found = {
        "cast": max(scores, key=lambda cast: scores[cast]),
        "scores": scores,
        "taught by": json.loads(Path(lesson).read_text()),
        "seen by": {"mediapipe": mp.__version__, "protobuf": version("protobuf")},
    }
    Path(report).write_text(json.dumps(found, indent=2) + "\n")


main(*sys.argv[1:])
