"""What MediaPipe's graphs have no use for of what the models of a bundle make.

It fails no gate. An output of which nothing is read is reported all the same, of others the columns that are. Outputs
go by their number, as the graphs take them apart. A bare model may be for anything: all of it is judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..files.bundle import BUNDLE_SUFFIX, Bundle


@dataclass(frozen=True)
class _Member:
    """A model beside the detector with which it makes a bundle, and what is not read of its outputs.

    `unread` has, by the number of an output, the first column that is not read; 0 where nothing of it is.
    """

    path: str
    detector: str
    unread: Mapping[int, int] = field(default_factory=dict)


_POINT, _POINT_IN_SPACE = 5, 3
"""Numbers that a pose's point takes: x, y, z, visibility, presence; or x, y, z."""

_MEMBERS = (
    # face_landmarks_detector_graph.cc takes two of the three outputs apart (kFaceLandmarksOutputTensorsNum), landmarks
    # and presence. Nothing is connected to the third, a score that is hardly ever above .001.
    _Member("face_landmarks_detector.tflite", "face_detector.tflite", {2: 0}),
    # Of 39 points, pose_landmarks_detector_graph.cc keeps 35 in the picture, refined by their heat maps, and 33 in
    # space (the ranges of SplitNormalizedLandmarkListCalculator and SplitLandmarkListCalculator).
    _Member(
        "pose_landmarks_detector.tflite",
        "pose_detector.tflite",
        {0: 35 * _POINT, 3: 35, 4: 33 * _POINT_IN_SPACE},
    ),
)


def unread_of(bundle: Bundle) -> dict[str, Mapping[int, int]]:
    """What is not read of the outputs of a bundle's models, by name; nothing of those that are no landmarker's."""
    paths = {model.path for model in bundle.models()} if bundle.suffix == BUNDLE_SUFFIX else set()
    found = (member for member in _MEMBERS if {member.path, member.detector} <= paths)
    return {bundle.names[member.path]: member.unread for member in found}
