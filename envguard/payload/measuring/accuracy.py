"""How far a quantized model's outputs are from the original's, on real inputs where there are any."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np

from ..contract import ColumnDifference, OutputDifference
from ..files import calibration
from ..graph.normalization import UNIT, input_ranges
from ..graph.schema import ModelT
from . import columns, numerics, ranking, synthetic
from .columns import Columns
from .domains import Domain, domains
from .interpreting import CannotRun, Port, Runner
from .ranking import Ranking
from .traits import RANKED, SCORES, keeps_state, output_makers

HELD_OUT, SYNTHETIC = "held-out", "synthetic"
MOST_HELD_OUT = 24
"""Real inputs used per model, spread over all that there are: enough for the figures to settle, and 0.3 s."""

MADE_UP = 4
SEED = 20240

ENOUGH_PLACES = 64
"""Positions of an output, as in a feature map, from which the inputs above are enough to judge its columns by."""

CENTRED = (-1.0, 1.0)
MANY, MANY_OF_LARGE = 100, 32
"""Inputs for outputs with fewer positions, where the limit for changed answers is one in 50; a larger model takes too
long for that many.
"""

LARGE = 1_000_000
"""Bytes of a model that is no longer small."""

OPEN_SIZES = (64, 16, 128, 224, 1)
"""Tried for axes of any size, in this order, until the original runs."""

NOTHING_UNREAD: Mapping[int, int] = MappingProxyType({})

STEPS = 3
"""How often a model that keeps state gets each input, from its first state on: the third answer has two before it."""


@dataclass(frozen=True)
class Inputs:
    """What a model is tried with: `kind` says where it is from, `batches` holds an array per input each.

    `ranges` are lowest and highest value of each input, or of each of its channels, which the noise is measured by.
    """

    kind: str
    batches: tuple[list[np.ndarray], ...]
    ranges: tuple[tuple[float | np.ndarray, float | np.ndarray], ...]


@dataclass(frozen=True)
class Output:
    """How far quantizing moved one output, and how far a little noise on the input moves the original's.

    `columns` has a value for each axis that the output's columns may lie along; empty where its shape changes from
    input to input or it holds no fractions. `same_shape` says whether both give as many values for each input, `scores`
    whether the values are scores from 0 to 1, as their operator tells. All is of the columns before `unread_from`, if
    there is one; of all of them where that is 0, and nothing of the output is read.
    """

    by_quantizing: numerics.Difference
    by_noise: numerics.Difference
    columns: tuple[Columns, ...] = ()
    ranking: Ranking | None = None
    same_shape: bool = True
    scores: bool = False
    unread_from: int | None = None

    def named_by(self, signature: str) -> Output:
        """The same, named after the signature that it is an output of, too."""
        name = f"{signature}: {self.by_quantizing.name}"
        return replace(
            self, by_quantizing=replace(self.by_quantizing, name=name), by_noise=replace(self.by_noise, name=name)
        )

    def described(self) -> OutputDifference:
        """All of it, as it is reported."""
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
            columns=max((len(each) for each in self.columns), default=0),
            worst_column=_worst(self.columns),
            changed_answers=self.ranking.top1 if self.ranking else None,
            unread_from=self.unread_from,
        )


def _worst(measured: Sequence[Columns]) -> ColumnDifference | None:
    """The column whose correlation is lowest, of those that have one."""
    found = [each.difference(each.least(each.correlation, each.judged)) for each in measured if each.judged.any()]
    return min(found, key=lambda each: each.correlation, default=None)


def choose_inputs(
    name: str,
    model: ModelT,
    original: Runner,
    held_out: Mapping[str, np.ndarray],
    signature: str = "",
    many: int = 0,
) -> Inputs:
    """Held-out inputs of the model called `name`, or seeded made-up ones; raises `CannotRun` where neither can be.

    There are as `many` as asked for, or as can be had of that.
    """
    ports = original.inputs
    declared = [] if signature else input_ranges(model)
    declared += [UNIT] * (len(ports) - len(declared))
    real = None if signature else calibration.samples(held_out, name, model)
    if real is not None:
        places = np.unique(np.linspace(0, len(real) - 1, many or MOST_HELD_OUT).round().astype(int))
        kind, batches = HELD_OUT, [real[int(place)] for place in places]
    else:
        known = domains(model, signature, [port.name for port in ports])
        within, size = _answered(original, declared, known)
        seeds = range(SEED, SEED + (many or MADE_UP))
        kind = SYNTHETIC
        batches = [synthetic.batch(ports, _alternating(ports, declared, seed), seed, within, size) for seed in seeds]
    ranges = [
        limits if synthetic.is_picture(port) else _observed([batch[index] for batch in batches])
        for index, (port, limits) in enumerate(zip(ports, declared))  # noqa: B905 - Python 3.9
    ]
    return Inputs(kind, tuple(batches), tuple(ranges))


def _alternating(
    ports: Sequence[Port], declared: Sequence[tuple[float, float]], seed: int
) -> list[tuple[float, float]]:
    """The declared ranges; every second time, -1..1 for what is no picture: tables are centred as often as not."""
    return [
        CENTRED if limits == UNIT and seed % 2 and len(port.shape) != synthetic.PICTURE_AXES else limits
        for port, limits in zip(ports, declared)  # noqa: B905 - Python 3.9
    ]


def inputs_to_judge(
    name: str,
    model: ModelT,
    original: Runner,
    held_out: Mapping[str, np.ndarray],
    signature: str,
    model_bytes: int,
) -> Inputs:
    """Those that gates judge the outputs by: as many as these need; raises `CannotRun`."""
    inputs = choose_inputs(name, model, original, held_out, signature)
    original.answer(inputs.batches[0])
    more = _rows_to_judge(original, model_bytes)
    return choose_inputs(name, model, original, held_out, signature, more) if more else inputs


def _rows_to_judge(original: Runner, model_bytes: int) -> int:
    """How many inputs the outputs need; 0 for the usual number. The original has answered an input before."""
    few = [size < ENOUGH_PLACES for size in (array.size // max(array.shape, default=1) for array in original.results())]
    if not any(few):
        return 0
    return MANY if model_bytes <= LARGE else MANY_OF_LARGE


def _answered(
    original: Runner, declared: Sequence[tuple[float, float]], known: Sequence[Domain]
) -> tuple[Sequence[Domain], int]:
    """Domains of integers and a size of open axes with which the original answers; raises `CannotRun` without."""
    reason = CannotRun("it has no inputs")
    for within, size in _attempts(original.inputs, known):
        try:
            original.answer(synthetic.batch(original.inputs, declared, SEED, within, size))
        except CannotRun as cause:
            reason = cause
            continue
        return within, size
    raise reason


def _attempts(ports: Sequence[Port], known: Sequence[Domain]) -> Iterator[tuple[Sequence[Domain], int]]:
    """The likeliest first; if all else fails, the first two rows of every table, however its indices are made."""
    sizes = OPEN_SIZES if any(port.open_axes for port in ports) else (1,)
    yield from ((known, size) for size in sizes)
    if any(domain.count is not None for domain in known):
        small = [replace(domain, count=domain.count and min(domain.count, 2)) for domain in known]
        yield from ((small, size) for size in sizes)


def answers_by_chance(runner: Runner, inputs: Inputs) -> bool:
    """Whether the same input, given twice from the same state on, has two different answers."""
    twice = []
    for _ in range(2):
        runner.start_over()
        twice.append(runner.answer(inputs.batches[0]))
    pairs = zip(*twice)  # noqa: B905 - Python 3.9
    return any(one.tobytes() != other.tobytes() for one, other in pairs if one.dtype.kind != "O")


@dataclass(frozen=True)
class Reference:
    """What the original answers to the inputs (`exact`), and to them with a little noise (`noisy`).

    `names` and `makers` are of its outputs (see `traits.output_makers`). Where calls leave `state` behind, it is
    forgotten before each input. `unread` has, by the number of an output, the first of the columns that nobody reads.
    """

    names: tuple[str, ...]
    makers: tuple[frozenset[str], ...]
    inputs: Inputs
    state: bool
    exact: tuple[list[np.ndarray], ...]
    noisy: tuple[list[np.ndarray], ...]
    unread: Mapping[int, int] = field(default_factory=dict)


def reference(
    original: Runner,
    inputs: Inputs,
    model: ModelT | None = None,
    signature: str = "",
    unread: Mapping[int, int] = NOTHING_UNREAD,
) -> Reference:
    """The answers of the original, whose graph is `model`; raises `CannotRun` with its reason."""
    state = model is not None and keeps_state(model)
    names = tuple(port.name for port in original.outputs)
    makers = output_makers(model, signature, names) if model is not None else [frozenset()] * len(names)
    exact, noisy = [], []
    for number, batch in enumerate(inputs.batches):
        noise = synthetic.with_noise(batch, inputs.ranges, SEED + number)
        exact.append(_answer(original, batch, state=state))
        noisy.append(_answer(original, noise, state=state))
    return Reference(names, tuple(makers), inputs, state, tuple(exact), tuple(noisy), unread)


def outputs(known: Reference, quantized: Runner) -> list[Output]:
    """The copy's outputs for the same inputs beside the original's; raises `CannotRun` with the copy's reason."""
    moved = [_answer(quantized, batch, state=known.state) for batch in known.inputs.batches]
    runs = (known.exact, moved, known.noisy)
    found = []
    for index, name in enumerate(known.names):
        unread = known.unread.get(index)
        read = [[_read(run[index], unread) for run in each] for each in runs]
        found.append(replace(_output(name, known.makers[index], read), unread_from=unread))
    return found


def _read(array: np.ndarray, unread_from: int | None) -> np.ndarray:
    """The columns that are read; all of them where none is."""
    return array[..., :unread_from] if unread_from and array.ndim else array


def _answer(runner: Runner, batch: Sequence[np.ndarray], *, state: bool) -> list[np.ndarray]:
    if not state:
        return [_numbers(array) for array in runner.answer(batch)]
    runner.start_over()
    for _ in range(STEPS):
        answered = runner.answer(batch)
    return [_numbers(array) for array in answered]


def _numbers(array: np.ndarray) -> np.ndarray:
    """Strings as numbers that are equal where they are."""
    if array.dtype.kind not in "SO":
        return array
    return np.array([zlib.crc32(bytes(word)) for word in array.ravel()], np.int64).reshape(array.shape)


def _output(name: str, makers: frozenset[str], runs: Sequence[Sequence[np.ndarray]]) -> Output:
    exact, moved, noisy = runs
    same_shape = all(one.shape == other.shape for one, other in zip(exact, moved))  # noqa: B905 - Python 3.9
    if not same_shape:
        nothing = numerics.difference(name, [], [])
        return Output(nothing, nothing, same_shape=False)
    alike = [(one, other) for one, other in zip(exact, noisy) if one.shape == other.shape]  # noqa: B905
    found = Output(
        numerics.difference(name, exact, moved),
        numerics.difference(name, [one for one, _ in alike], [other for _, other in alike]),
    )
    stacks = [columns.stacked(each) for each in runs]
    before, after, disturbed = stacks
    if before is None or after is None or disturbed is None or not before.size or not found.by_quantizing.finite:
        return found
    if _is_label(exact[0]):
        return replace(found, ranking=ranking.labelled(before, after, disturbed, best_first=bool(makers & RANKED)))
    scores = bool(makers & SCORES)
    axes = columns.channel_axes(before) or (None,)
    return replace(
        found,
        columns=tuple(columns.measured(before, after, disturbed, axis, scores=scores) for axis in axes),
        ranking=ranking.ranked(before, after, disturbed, axes[0], scores=scores),
        scores=scores,
    )


def _is_label(array: np.ndarray) -> bool:
    """Whether an output is no amount: an index, a class, yes or no. Single bytes are quantized amounts."""
    return array.dtype.kind == "b" or (array.dtype.kind in "iu" and array.dtype.itemsize > 1)


def _observed(arrays: Sequence[np.ndarray]) -> tuple[float | np.ndarray, float | np.ndarray]:
    """What an input that is no picture was seen to range over, channel by channel; its metadata says nothing of it."""
    if not arrays or arrays[0].dtype.kind != "f" or not arrays[0].ndim:
        return 0.0, 1.0
    rows = np.concatenate([array.reshape(-1, array.shape[-1]) for array in arrays])
    return rows.min(0), rows.max(0)
