"""What MediaPipe says is told alike of faces, hands and poses, each beside what noise alone does."""

from __future__ import annotations

from typing import Any

from envguard.models.text.verification import verification_lines

COUNTS = {"images": 96, "before": 101, "after": 102, "lost": 0, "extra": 1}


def shift(side: int, measure: str, pixels: float) -> dict[str, Any]:
    return {f"px_{side}": {"mean": pixels, "p95": 2 * pixels, "max": 3 * pixels}, measure: {"mean": pixels / 100}}


def verified(kind: str, floor: dict[str, Any], **measured: Any) -> dict[str, Any]:
    return {
        "verified": True,
        "kind": kind,
        "mediapipe": "0.10.21",
        "sample_size": {"pictures": 8, "views": 8, "images": 96},
        "latency": {"ratio": 0.846},
        "noise_floor": floor,
        **measured,
    }


def test_faces_are_told_with_blendshapes() -> None:
    floor = {"landmark_shift": shift(256, "inter_ocular", 0.39), "blendshapes": {"mean_abs": 0.0059, "max": 0.1}}
    lines = verification_lines(
        verified(
            "face",
            floor,
            faces=COUNTS,
            landmark_shift=shift(256, "inter_ocular", 0.27),
            blendshapes={"mean_abs": 0.0058, "max": 0.1},
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
    floor = {"landmark_shift": shift(224, "palm", 1.1), "world_shift": {"mm": {"mean": 1.36}}}
    lines = verification_lines(
        verified(
            "hand",
            floor,
            hands={**COUNTS, "flipped": 2},
            landmark_shift=shift(224, "palm", 1.2),
            world_shift={"mm": {"mean": 3.6}},
        )
    )
    assert lines[1:4] == [
        "  hands        101 before, 102 after: 0 lost, 1 new, 2 taken for the other hand",
        "  landmarks    1.20 px of a 224-pixel crop (1.20% of the palm's length); "
        "invisible noise alone moves them 1.10 px",
        "  in space     3.6 mm; invisible noise alone moves them 1.4 mm",
    ]


def test_poses_are_told_with_visibility_and_what_was_not_measured_is_left_out() -> None:
    lines = verification_lines(
        verified(
            "pose",
            {},
            poses=COUNTS,
            landmark_shift=shift(256, "torso", 2.0),
            visibility={"mean_abs": 0.016},
            world_shift=None,
        )
    )
    assert lines[1:-1] == [
        "  poses        101 before, 102 after: 0 lost, 1 new",
        "  landmarks    2.00 px of a 256-pixel crop (2.00% of the torso's length)",
        "  visibility   0.0160 mean absolute difference",
    ]
