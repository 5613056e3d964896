"""How far a quantized model's outputs are from the original's, on real inputs where there are any."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..contract import OutputDifference
from ..files import calibration
from ..graph.normalization import input_ranges
from ..graph.schema import ModelT
from . import numerics, synthetic
from .interpreting import Runner

HELD_OUT, SYNTHETIC = "held-out", "synthetic"
MOST_HELD_OUT = 24
"""Real inputs used per model, spread over all that there are: enough for the figures to settle, and 0.3 s."""

MADE_UP = 4
SEED = 20240


@dataclass(frozen=True)
class Inputs:
    """What a model is tried with: `kind` says where it is from, `batches` holds an array per input each.

    `ranges` are lowest and highest value of each input, which the noise beside is measured by.
    """

    kind: str
    batches: tuple[list[np.ndarray], ...]
    ranges: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Output:
    """How far quantizing moved one output, and how far a little noise on the input moves the original's."""

    by_quantizing: numerics.Difference
    by_noise: numerics.Difference

    def described(self) -> OutputDifference:
        """Both, as they are reported."""
        quantized, noise = self.by_quantizing, self.by_noise
        return OutputDifference(
            name=quantized.name,
            cosine=quantized.cosine,
            max_abs_error=quantized.largest_error,
            max_relative_error=quantized.relative_error,
            peak=quantized.peak,
            snr_db=quantized.snr_db,
            finite=quantized.finite,
            silent=quantized.silent,
            noise_cosine=noise.cosine,
            noise_snr_db=noise.snr_db,
            noise_max_abs_error=noise.largest_error,
        )


def choose_inputs(name: str, model: ModelT, original: Runner, held_out: Mapping[str, np.ndarray]) -> Inputs:
    """Held-out inputs of the model called `name`, or seeded made-up ones; raises `CannotRun` where neither can be."""
    declared = input_ranges(model)
    real = calibration.samples(held_out, name, model)
    if real is not None:
        places = np.unique(np.linspace(0, len(real) - 1, MOST_HELD_OUT).round().astype(int))
        kind, batches = HELD_OUT, [real[int(place)] for place in places]
    else:
        kind, batches = SYNTHETIC, [synthetic.batch(original.inputs, declared, SEED + each) for each in range(MADE_UP)]
    ranges = [
        limits if synthetic.is_picture(port) else _observed([batch[index] for batch in batches])
        for index, (port, limits) in enumerate(zip(original.inputs, declared))  # noqa: B905 - Python 3.9
    ]
    return Inputs(kind, tuple(batches), tuple(ranges))


def outputs(original: Runner, quantized: Runner, inputs: Inputs) -> list[Output]:
    """Both models' outputs for the same inputs, and the original's for noisy ones, output by output."""
    exact, moved, noisy = [], [], []
    for number, batch in enumerate(inputs.batches):
        exact.append(original.answer(batch))
        moved.append(quantized.answer(batch))
        noisy.append(original.answer(synthetic.with_noise(batch, inputs.ranges, SEED + number)))
    return [
        Output(
            numerics.difference(port.name, *_columns(index, exact, moved)),
            numerics.difference(port.name, *_columns(index, exact, noisy)),
        )
        for index, port in enumerate(original.outputs)
    ]


def _columns(index: int, *runs: Sequence[Sequence[np.ndarray]]) -> Iterator[list[np.ndarray]]:
    return ([run[index] for run in each] for each in runs)


def _observed(arrays: Sequence[np.ndarray]) -> tuple[float, float]:
    """What an input that is no picture was seen to range over; its metadata says nothing of that."""
    if not arrays or arrays[0].dtype.kind != "f":
        return 0.0, 1.0
    return float(min(array.min() for array in arrays)), float(max(array.max() for array in arrays))
