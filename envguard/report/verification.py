"""What MediaPipe says of original and copy, as lines for a reader."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def verification_lines(verify: Mapping[str, Any] | None) -> list[str]:
    """What MediaPipe found, a line each; where it did not verify, why."""
    if verify is None:
        return ["MediaPipe did not get to verify it."]
    if not verify["verified"]:
        return [f"Not verified in MediaPipe {verify['mediapipe']}: {verify['reason']}"]
    floor, latency = verify["noise_floor"], verify["latency"]
    faces, size = verify["faces"], verify["sample_size"]
    lines = [
        f"MediaPipe {verify['mediapipe']} on {faces['images']} images of {size['pictures']} pictures, "
        f"against the original:",
        f"  faces        {faces['before']} before, {faces['after']} after: {faces['lost']} lost, {faces['extra']} new",
    ]
    shift, least = verify["landmark_shift"], floor["landmark_shift"]
    if shift:
        lines.append(
            f"  landmarks    {shift['px_256']['mean']:.2f} px of a 256-pixel crop "
            f"({shift['inter_ocular']['mean']:.2%} of the distance between the eyes)"
            + (f"; invisible noise alone moves them {least['px_256']['mean']:.2f} px" if least else "")
        )
    blendshapes, least = verify["blendshapes"], floor["blendshapes"]
    if blendshapes:
        lines.append(
            f"  blendshapes  {blendshapes['mean_abs']:.4f} mean absolute difference"
            + (f"; invisible noise alone makes {least['mean_abs']:.4f}" if least else "")
        )
    lines.append(f"  time         {latency['ratio']:.2f} of the original's for a whole IMAGE call")
    return lines
