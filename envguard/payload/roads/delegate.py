"""What MediaPipe's GPU delegate says to a model, and what it answers: tried for real, in a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

_TRIAL = Path(__file__).with_name("delegate_trial.py")

SECONDS = 300.0
"""A large model is compiled and called in software in less."""

_UNSUPPORTED = "Following operations are not supported by GPU delegate"
_NOISE = re.compile(r"^(WARNING: All log|INFO: |[IW]\d{4} |E\d{4} .*(tensor\.cc|calculator_graph\.cc))")
"""Lines that say nothing of the model, or what MediaPipe's exception says again."""


class NoContext(Exception):
    """There is no OpenGL ES context here; the text is MediaPipe's own."""


class DelegateRefused(Exception):
    """The delegate did not take the model; the text is its own."""


def delegate_takes(model: Path, advanced: bool = False) -> str:
    """The delegate's own words if it does not take every operator of the `.tflite` file; empty if it does.

    One that takes a part and leaves the rest to the CPU has refused the model: MediaPipe hands the delegate's buffers
    to a model's inputs and outputs, and what the CPU computes never reaches them: such models load and answer zeros.
    `advanced` asks for the interface that MediaPipe uses on Android and for its pose detector; Python uses the other.
    `NoContext` where there is no GPU.
    """
    try:
        _tried(model, [], 0, advanced)
    except DelegateRefused as refused:
        return str(refused)
    return ""


def delegate_answers(
    model: Path, inputs: Sequence[np.ndarray], outputs: int, advanced: bool = False
) -> list[np.ndarray]:
    """The model's `outputs`, in its own order and flat, for float inputs in its own order; raises as `_tried` does."""
    return _tried(model, inputs, outputs, advanced)


def _tried(model: Path, inputs: Sequence[np.ndarray], outputs: int, advanced: bool) -> list[np.ndarray]:
    """One call; `NoContext` or `DelegateRefused` with what MediaPipe said."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, values in enumerate(inputs):
            np.save(folder / f"in{number}.npy", np.asarray(values, np.float32))
        arguments = [str(model.resolve()), name, str(outputs), *(["--advanced"] if advanced else [])]
        try:
            run = subprocess.run(
                [sys.executable, "-I", "-B", str(_TRIAL), *arguments],
                env=_variables(),
                capture_output=True,
                text=True,
                errors="replace",
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise DelegateRefused(f"The delegate had not answered after {SECONDS:g} seconds.") from None
        judge(run.returncode, run.stderr)
        return [np.load(folder / f"out{number}.npy") for number in range(outputs if inputs else 0)]


def _variables() -> dict[str, str]:
    """This process's variables; Mesa draws without a display unless the user has named another platform."""
    return {"EGL_PLATFORM": "surfaceless", **os.environ}


def judge(code: int, said: str) -> None:
    """Raise what a trial came to that ended with this code and said this, unless the model was taken."""
    # MediaPipe logs an exception's text before it raises it.
    lines = dict.fromkeys(line.rstrip() for line in said.splitlines() if line.strip() and not _NOISE.match(line))
    words = "\n".join(lines)
    if "kGpuService" in said or "GL version" not in said:
        raise NoContext(words)
    if code < 0:
        words += f"\nThe process was ended by {signal.Signals(-code).name}."
    if code != 0 or _UNSUPPORTED in words:
        raise DelegateRefused(words)
