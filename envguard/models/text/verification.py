"""What MediaPipe finds with the original and with the copy, as lines for a reader."""

from __future__ import annotations

from envguard.payload.contract import Counts, LandmarkShift, Measures, ScoreShift, VerifyFindings

MEASURES = {
    "inter_ocular": "the distance between the eyes",
    "palm": "the palm's length",
    "torso": "the torso's length",
}
WIDTH = 13
NOT_REACHED = "MediaPipe did not verify it: the run ended before that."


def verification_lines(verify: VerifyFindings | None) -> list[str]:
    """What MediaPipe found, a line each; if it did not verify, why."""
    if verify is None:
        return [NOT_REACHED]
    if not verify.verified or verify.measures is None:
        return [f"Not verified in MediaPipe {verify.mediapipe}: {verify.reason}"]
    measures, size = verify.measures, verify.sample_size
    pictures = f" of {size.pictures} pictures" if size else ""
    lines = [
        f"MediaPipe {verify.mediapipe} on {measures.counts.images} images{pictures}, against the original:",
        _line(measures.counts.things, _counts(measures.counts)),
        *_shifts(measures, verify.noise),
    ]
    if verify.latency:
        lines.append(_line("time", f"{verify.latency.ratio:.2f} of the original's for a whole IMAGE call"))
    return lines


def _shifts(measures: Measures, noise: Measures | None) -> list[str]:
    """How far what is found moves, each beside what noise alone does to it; nothing for what was not measured."""
    lines = []
    if measures.landmark_shift:
        floor = noise.landmark_shift if noise else None
        lines.append(_line("landmarks", _landmarks(measures.landmark_shift) + _moves(_pixels(floor) if floor else "")))
    if measures.world_mm:
        least = noise.world_mm if noise else None
        lines.append(
            _line("in space", f"{measures.world_mm.mean:.1f} mm" + _moves(f"{least.mean:.1f} mm" if least else ""))
        )
    if measures.scores:
        lines.append(_line(measures.scores.name, _scores(measures.scores, noise.scores if noise else None)))
    return lines


def _line(name: str, text: str) -> str:
    return f"  {name:<{WIDTH}}{text}"


def _counts(counts: Counts) -> str:
    text = f"{counts.before} before, {counts.after} after: {counts.lost} lost, {counts.extra} new"
    text += f", {counts.flipped} taken for the other hand" if counts.flipped else ""
    return f"{text}, {counts.changed} recognized as another gesture" if counts.changed else text


def _landmarks(shift: LandmarkShift) -> str:
    share = f"{shift.relative:.2%} of {MEASURES.get(shift.measure, shift.measure)}"
    return f"{_pixels(shift)} of a {shift.crop_side}-pixel crop ({share})"


def _pixels(shift: LandmarkShift) -> str:
    return f"{shift.px.mean:.2f} px"


def _moves(least: str) -> str:
    return f"; invisible noise alone moves them {least}" if least else ""


def _scores(shift: ScoreShift, least: ScoreShift | None) -> str:
    noise = f"; invisible noise alone makes {least.mean_abs:.4f}" if least else ""
    return f"{shift.mean_abs:.4f} mean absolute difference{noise}"
