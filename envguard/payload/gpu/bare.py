"""Models without a task of MediaPipe's on the road `gpu`: taken or not, and their outputs beside the original's."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..contract import GPU, Gate, InspectedModel, OutputDifference, RoadRun
from ..files.bundle import MODEL_SUFFIX, Bundle, ModelFile
from ..gates import GateDeclaration, Limits, judge
from ..landmarks.landmarkers import VERSION
from ..measuring import numerics
from ..roads.delegate import DelegateRefused, NoContext, delegate_answers, delegate_takes
from .display import DRIVERS, missing_libraries
from .words import delegates_words

RUNTIME = f"MediaPipe {VERSION}'s GPU delegate"
FLOAT = "FLOAT32"
SEED, GREY_LEVEL = 20_261_126, 1 / 255
PATCHES = 8
"""Along each side of a made-up picture: networks that were trained on photographs answer white noise with little."""

INACCURATE = GateDeclaration(
    "gpu-inaccurate",
    "Cosine similarity of outputs on the road gpu",
    "On the road gpu, {subject} has a cosine similarity of {measured:.3f} to the original's; the limit is {limit:g}.",
    "Quantize with --goal accuracy, or give --calibration inputs that are like your own.",
    option="min_gpu_cosine",
    default=0.7,
    at_least=True,
)
"""The limit for made-up inputs of the step `compare`; an output that noise takes below it is not judged."""


def on_gpu(original: Bundle, copy: Bundle, inspected: Sequence[InspectedModel]) -> RoadRun:
    """What the delegate makes of every model of both files, the outputs of one call each beside the original's."""
    missing = missing_libraries()
    if missing:
        return RoadRun(GPU, ran=False, reason=f"{' and '.join(missing)} cannot be loaded here. {DRIVERS}")
    if not VERSION.startswith("0."):
        reason = (
            f"MediaPipe {VERSION} runs no single models in Python; edition 0.10.21 of the environment `verify`, which "
            "does, is for Python 3.10 to 3.12, and not for Linux on ARM."
        )
        return RoadRun(GPU, ran=False, reason=reason)
    run = RoadRun(GPU, ran=True, runtime=RUNTIME, original_taken=True, copy_taken=True)
    with tempfile.TemporaryDirectory() as name:
        before, after = Path(name) / "original.tflite", Path(name) / "copy.tflite"
        for model, first, other in _pairs(original, copy, inspected):
            before.write_bytes(first.data)
            after.write_bytes(other.data)
            run = _with_model(run, model, before, after)
            if not run.copy_taken:
                break
    return run


def gates_of(run: RoadRun, limits: Limits) -> Iterator[Gate]:
    """Every output that noise does not hide, judged."""
    limit = limits[INACCURATE.option]
    for output in run.outputs if limit is not None else ():
        if limit is not None and output.noise_cosine >= limit:
            yield judge(INACCURATE, output.cosine, limit, subject=output.name)


def _pairs(
    original: Bundle, copy: Bundle, inspected: Sequence[InspectedModel]
) -> Iterator[tuple[InspectedModel, ModelFile, ModelFile]]:
    """Every model that both have; a bare one is called by its file, whatever that is called."""
    if original.suffix == MODEL_SUFFIX:
        yield inspected[0], original.models()[0], copy.models()[0]
        return
    known = {model.name: model for model in inspected}
    made = {model.name: model for model in copy.models()}
    for model in original.models():
        if model.name in made:
            yield known[model.name], model, made[model.name]


def _with_model(run: RoadRun, model: InspectedModel, before: Path, after: Path) -> RoadRun:
    """The run with what came of one model more."""
    taken = False
    try:
        if not all(port.dtype == FLOAT for port in (*model.inputs, *model.outputs)):
            refused = delegate_takes(before)
            if refused:
                return replace(run, original_taken=False, copy_taken=None, reason=_in_one_line(refused))
            refused = delegate_takes(after)
            return replace(run, copy_taken=not refused, reason=_in_one_line(refused))
        inputs, noisy = _made_up(model)
        count = len(model.outputs)
        first, again = delegate_answers(before, inputs, count), delegate_answers(before, noisy, count)
        taken = True
        copied = delegate_answers(after, inputs, count)
    except NoContext as cause:
        return RoadRun(GPU, ran=False, reason=f"{_in_one_line(str(cause))} {DRIVERS}")
    except DelegateRefused as cause:
        reason = _in_one_line(str(cause))
        return replace(run, original_taken=taken, copy_taken=False if taken else None, reason=reason)
    answers = zip(model.outputs, first, copied, again)  # noqa: B905 - Python 3.9
    found = [_difference(f"{model.name}: {port.name}", *each) for port, *each in answers]
    return replace(run, outputs=(*run.outputs, *found))


def _difference(name: str, before: np.ndarray, after: np.ndarray, noisy: np.ndarray) -> OutputDifference:
    copy, noise = numerics.difference(name, [before], [after]), numerics.difference(name, [before], [noisy])
    return OutputDifference(
        name=name,
        cosine=copy.cosine,
        max_abs_error=copy.largest_error,
        max_relative_error=copy.relative_error,
        peak=copy.peak,
        snr_db=copy.snr_db,
        finite=copy.finite,
        silent=copy.silent,
        noise_cosine=noise.cosine,
        noise_snr_db=noise.snr_db,
        noise_max_abs_error=noise.largest_error,
    )


def _made_up(model: InspectedModel) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """An array for each input, a picture in patches, and the same with invisible noise."""
    random = np.random.default_rng(SEED)
    patched = [_patched(random, port.shape) for port in model.inputs]
    noisy = [each + (GREY_LEVEL * random.standard_normal(each.shape)).astype(np.float32) for each in patched]
    return patched, noisy


def _patched(random: np.random.Generator, shape: Sequence[int]) -> np.ndarray:
    """Values from 0 to 1."""
    values = random.random(tuple(max(1, side) for side in shape))
    for axis, side in enumerate(values.shape[1:-1], start=1):
        values = np.take(values, np.arange(side) * PATCHES // side, axis=axis)
    return np.asarray(values, np.float32)


def _in_one_line(text: str) -> str:
    """The delegate's own errors, or all there is."""
    return delegates_words(text) or " ".join(text.split())
