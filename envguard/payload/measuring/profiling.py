"""Where a model's time goes: by kind of operator and for the slowest operators, before and after quantizing."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from ..contract import KindTime, OperatorTimes, Profile, SlowOperator, TimeBetween

ROUNDS = 20
SLOWEST = 5
LONGEST_SECONDS = 30
"""A profile takes less than a second; a runtime that hangs costs no more than this."""

PROGRAM = Path(__file__).resolve().with_name("litert_profiler.py")
LITERT = "ai-edge-litert"
FIRST_PROFILER = (2, 2)
"""LiteRT 2.1 and older have other C functions, on which `litert_profiler` would crash."""

_TAG = re.compile(r"(?P<what>[^(]+) \((?P<types>[^)]*)\)(?: (?P<how>\w+))?")
_KINDS = {
    "Fully Connected": "matrix product",
    "Convolution DWConv": "depthwise convolution",
    "Convolution": "convolution",
}


class NoProfile(Exception):
    """The operators of this model cannot be timed here; the text says why."""


def operator_times(whole: float, operators: Sequence[tuple[str, float]]) -> OperatorTimes:
    """Where one model's time goes, from the milliseconds of a whole run on one thread and of each operator in it.

    Each is the least of several runs, which other jobs on the machine disturb least.
    """

    def share(milliseconds: float) -> float:
        return milliseconds / whole if whole > 0 else 0.0

    kinds: dict[str, list[float]] = {}
    for tag, milliseconds in operators:
        kinds.setdefault(kind_of(tag), []).append(milliseconds)
    by_kind = [KindTime(kind, len(each), sum(each), share(sum(each))) for kind, each in kinds.items()]
    slowest = sorted(enumerate(operators), key=lambda entry: -entry[1][1])[:SLOWEST]
    between = max(0.0, whole - sum(milliseconds for _, milliseconds in operators))
    return OperatorTimes(
        ms=whole,
        kinds=tuple(sorted(by_kind, key=lambda each: -each.ms)),
        slowest=tuple(SlowOperator(place, tag, ms, share(ms)) for place, (tag, ms) in slowest),
        between=TimeBetween(between, share(between)),
    )


def profile(original: bytes, quantized: bytes, inputs: Sequence[np.ndarray], folder: Path) -> Profile:
    """The profiles of both models for the same inputs; raises `NoProfile`. `folder` is for files on the way."""
    runtime = _runtime()
    files = {"original.tflite": original, "quantized.tflite": quantized}
    files["inputs.bin"] = b"".join(np.ascontiguousarray(array).tobytes() for array in inputs)
    result = folder / "profile.json"
    for name, data in files.items():
        (folder / name).write_bytes(data)
    _run([str(PROGRAM), str(result), str(ROUNDS), *(str(folder / name) for name in files)])
    before, after = (_times(found) for found in json.loads(result.read_text(encoding="utf-8")))
    return Profile(
        f"the profiler of LiteRT {runtime}, one thread, the least of {ROUNDS} runs in turns",
        original=before,
        quantized=after,
    )


def kind_of(tag: str) -> str:
    """What the runtime calls an operator, in a user's words: `Convolution (NHWC, F32) DWConv` is depthwise.

    XNNPACK runs a 1x1 convolution as a matrix product, so that one kind holds both. A name of another form, such as
    that of an operator that XNNPACK does not take, stays as it is.
    """
    found = _TAG.fullmatch(tag)
    if found is None:
        return tag
    what, how = found["what"], found["how"] or ""
    kind = _KINDS.get(f"{what} {how}") or _KINDS.get(what) or what.lower()
    return f"{_arithmetic(found['types'])} {kind}" if what in ("Fully Connected", "Convolution") else kind


def _arithmetic(types: str) -> str:
    """Whether numbers are multiplied as integers; a float input with int8 weights (`F32, QC8W`) is multiplied out."""
    names = [name.strip() for name in types.split(",")]
    return "int8" if any(re.fullmatch(r"Q[DPSU]+\d+|Q[SUC]\d+", name) for name in names) else "float"


def _times(found: Mapping[str, Any]) -> OperatorTimes:
    rows = found["microseconds"]
    least = [min(column) / 1e3 for column in zip(*rows)]  # noqa: B905 - Python 3.9
    return operator_times(least[0], list(zip(found["operators"], least[1:])))  # noqa: B905 - Python 3.9


def _runtime() -> str:
    try:
        found = version(LITERT)
    except PackageNotFoundError as cause:
        raise NoProfile("this LiteRT does not tell its version") from cause
    numbers = tuple(int(number) for number in re.findall(r"\d+", found)[:2])
    if numbers < FIRST_PROFILER:
        raise NoProfile(f"LiteRT {found} has no profiler that can be reached from outside")
    return found


def _run(arguments: Sequence[str]) -> None:
    command = [sys.executable, "-I", "-B", "-X", "utf8", *arguments]
    try:
        # What it prints is the runtime's own noise, and belongs to the step's log with the rest of it.
        ended = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=2, timeout=LONGEST_SECONDS, check=False)
    except subprocess.TimeoutExpired as cause:
        raise NoProfile(f"the profiler did not end within {LONGEST_SECONDS} s") from cause
    if ended.returncode != 0:
        raise NoProfile(f"the profiler ended with code {ended.returncode}; the step's log has its reason")
