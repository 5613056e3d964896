"""What MediaPipe finds is told alike of faces, hands and poses, each beside what noise alone does."""

from __future__ import annotations

from envguard.models.text.verification import verification_lines
from envguard.payload.contract import (
    CallTimes,
    Counts,
    LandmarkShift,
    Measures,
    SampleSize,
    ScoreShift,
    Spread,
    VerifyFindings,
)


def counts(things: str, flipped: int | None = None) -> Counts:
    return Counts(things, images=96, before=101, after=102, lost=0, extra=1, flipped=flipped)


def shift(side: int, measure: str, pixels: float) -> LandmarkShift:
    return LandmarkShift(side, spread(pixels), measure, pixels / 100)


def spread(mean: float) -> Spread:
    return Spread(mean, 2 * mean, 3 * mean)


def verified(kind: str, measures: Measures, noise: Measures | None) -> VerifyFindings:
    return VerifyFindings(
        verified=True,
        kind=kind,
        mediapipe="0.10.21",
        sample_size=SampleSize(pictures=8, views=8, images=96),
        measures=measures,
        noise=noise,
        latency=CallTimes(1.0, 0.846, 0.846),
    )


def test_faces_are_told_with_blendshapes() -> None:
    faces = counts("faces")
    lines = verification_lines(
        verified(
            "face",
            Measures(faces, shift(256, "inter_ocular", 0.27), ScoreShift("blendshapes", 0.0058, 0.1)),
            Measures(faces, shift(256, "inter_ocular", 0.39), ScoreShift("blendshapes", 0.0059, 0.1)),
        )
    )
    assert lines == [
        "MediaPipe 0.10.21 on 96 images of 8 pictures, against the original:",
        "  faces        101 before, 102 after: 0 lost, 1 new",
        "  landmarks    0.27 px of a 256-pixel crop (0.27% of the distance between the eyes); "
        "invisible noise alone moves them 0.39 px",
        "  blendshapes  0.0058 mean absolute difference; invisible noise alone makes 0.0059",
        "  time         0.85 of the original's for a whole IMAGE call",
    ]


def test_hands_are_told_with_their_sides_and_where_they_are_in_space() -> None:
    lines = verification_lines(
        verified(
            "hand",
            Measures(counts("hands", flipped=2), shift(224, "palm", 1.2), world_mm=spread(3.6)),
            Measures(counts("hands"), shift(224, "palm", 1.1), world_mm=spread(1.36)),
        )
    )
    assert lines[1:4] == [
        "  hands        101 before, 102 after: 0 lost, 1 new, 2 taken for the other hand",
        "  landmarks    1.20 px of a 224-pixel crop (1.20% of the palm's length); "
        "invisible noise alone moves them 1.10 px",
        "  in space     3.6 mm; invisible noise alone moves them 1.4 mm",
    ]


def test_poses_are_told_with_visibility_and_what_was_not_measured_is_left_out() -> None:
    measures = Measures(counts("poses"), shift(256, "torso", 2.0), ScoreShift("visibility", 0.016, 0.1))
    assert verification_lines(verified("pose", measures, None))[1:-1] == [
        "  poses        101 before, 102 after: 0 lost, 1 new",
        "  landmarks    2.00 px of a 256-pixel crop (2.00% of the torso's length)",
        "  visibility   0.0160 mean absolute difference",
    ]
