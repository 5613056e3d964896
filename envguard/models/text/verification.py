"""What MediaPipe says of original and copy, as lines for a reader."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

MEASURES = {
    "inter_ocular": "the distance between the eyes",
    "palm": "the palm's length",
    "torso": "the torso's length",
}
PIXELS = "px_"
WIDTH = 13


def verification_lines(verify: Mapping[str, Any] | None) -> list[str]:
    """What MediaPipe found, a line each; where it did not verify, why."""
    if verify is None:
        return ["MediaPipe did not get to verify it."]
    if not verify["verified"]:
        return [f"Not verified in MediaPipe {verify['mediapipe']}: {verify['reason']}"]
    floor, size = verify["noise_floor"], verify["sample_size"]
    things = f"{verify['kind']}s"
    measured = {
        "landmarks": _pair(verify, floor, "landmark_shift", _landmarks, lambda least: f"moves them {_pixels(least)}"),
        "in space": _pair(
            verify, floor, "world_shift", _millimetres, lambda least: f"moves them {_millimetres(least)}"
        ),
        "blendshapes": _pair(verify, floor, "blendshapes", _scores, lambda least: f"makes {least['mean_abs']:.4f}"),
        "visibility": _pair(verify, floor, "visibility", _scores, lambda least: f"makes {least['mean_abs']:.4f}"),
    }
    lines = [
        f"MediaPipe {verify['mediapipe']} on {verify[things]['images']} images of {size['pictures']} pictures, "
        f"against the original:",
        _line(things, _counts(verify[things])),
    ]
    lines += [_line(name, text) for name, text in measured.items() if text]
    return [*lines, _line("time", f"{verify['latency']['ratio']:.2f} of the original's for a whole IMAGE call")]


def _line(name: str, text: str) -> str:
    return f"  {name:<{WIDTH}}{text}"


def _counts(counts: Mapping[str, Any]) -> str:
    text = f"{counts['before']} before, {counts['after']} after: {counts['lost']} lost, {counts['extra']} new"
    if counts.get("flipped"):
        text += f", {counts['flipped']} taken for the other hand"
    return text


def _pair(
    verify: Mapping[str, Any],
    floor: Mapping[str, Any],
    name: str,
    words: Callable[[Mapping[str, Any]], str],
    noise: Callable[[Mapping[str, Any]], str],
) -> str:
    """A measurement and what noise alone does to it; nothing for what was not measured."""
    measured, least = verify.get(name), floor.get(name)
    if not measured:
        return ""
    return words(measured) + (f"; invisible noise alone {noise(least)}" if least else "")


def _landmarks(shift: Mapping[str, Any]) -> str:
    side = _side(shift).removeprefix(PIXELS)
    relative = next(
        f"{each['mean']:.2%} of {MEASURES[name]}" for name, each in shift.items() if not name.startswith(PIXELS)
    )
    return f"{_pixels(shift)} of a {side}-pixel crop ({relative})"


def _pixels(shift: Mapping[str, Any]) -> str:
    return f"{shift[_side(shift)]['mean']:.2f} px"


def _side(shift: Mapping[str, Any]) -> str:
    """The key of the shift in pixels, which names the crop's side."""
    return next(name for name in shift if name.startswith(PIXELS))


def _millimetres(shift: Mapping[str, Any]) -> str:
    return f"{shift['mm']['mean']:.1f} mm"


def _scores(difference: Mapping[str, Any]) -> str:
    return f"{difference['mean_abs']:.4f} mean absolute difference"
