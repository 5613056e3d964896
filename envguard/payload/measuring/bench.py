"""Measure copies of one model against it: how far off they are in units of noise, and how long they take."""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ..contract import Gate
from ..graph.schema import ModelT
from . import accuracy, benchmark, output_gates, synthetic
from .accuracy import Inputs
from .interpreting import Runner

SECONDS = 1.0
"""For timing a copy, if its ratio does not settle sooner."""

SEED = 20_261_122

_OF_OUTPUTS = frozenset(gate.name for gate in output_gates.GATES)


@dataclass(frozen=True)
class Subject:
    """The model that is measured: what gates call it, its graph, and what nobody reads of its outputs."""

    name: str = ""
    model: ModelT | None = None
    unread: Mapping[int, int] = field(default_factory=dict)


NAMELESS = Subject()


class Bench:
    """Measures copies of one model against it.

    An error is the root of the mean square over all elements of all outputs, each output in units of what it moves by
    when noise of one grey level is added to the inputs (see `synthetic.with_noise`).
    """

    def __init__(self, original: bytes, inputs: Inputs, subject: Subject = NAMELESS) -> None:
        """Raises `CannotRun` if the interpreter does not take the model."""
        self._subject = subject
        self.bytes = len(original)
        self._original = Runner(original)
        self.names = [port.name for port in self._original.outputs]
        self.inputs = inputs.batches
        self._tried = inputs
        noisy = [synthetic.with_noise(batch, inputs.ranges, SEED) for batch in inputs.batches]
        self._answers = _answers(self._original, inputs.batches)
        pairs = zip(self._answers, _answers(self._original, noisy))  # noqa: B905 - Python 3.9
        self.floors = [_mean_square(*pair) for pair in pairs]

    @cached_property
    def _reference(self) -> accuracy.Reference:
        """The original's answers as gates need them, which not every search asks for."""
        subject = self._subject
        return accuracy.reference(self._original, self._tried, subject.model, unread=subject.unread)

    def error(self, copy: Runner, among: Collection[int] = ()) -> float:
        """The error of a copy, of the outputs with these numbers or of all; infinite if it gives what is no number."""
        return self.error_between(self._answers, _answers(copy, self.inputs), among)

    def error_between(
        self, one: Sequence[np.ndarray], other: Sequence[np.ndarray], among: Collection[int] = ()
    ) -> float:
        """How far apart two answers to the held-out inputs are, by output, in the same unit."""
        total, weight = 0.0, 0
        for number, (exact, given, floor) in enumerate(zip(one, other, self.floors)):  # noqa: B905 - Python 3.9
            if among and number not in among:
                continue
            off = _mean_square(exact, given)
            if not math.isfinite(off):
                return math.inf
            if floor > 0:  # An output that noise does not move has no unit.
                total += off / floor * exact.size
                weight += exact.size
        return math.sqrt(total / weight) if weight else 0.0

    def passes(self, copy: Runner, limits_of: Iterable[Gate] = ()) -> bool:
        """Whether every output and column of a copy passes the gates on the same inputs.

        Limits are the defaults, or those of gates that were judged before. The error is a mean: what a small output
        loses may hide in it.
        """
        limits = {gate.option: gate.default for gate in output_gates.GATES if gate.option}
        for judged in limits_of:
            limits.update(
                (gate.option, judged.limit)
                for gate in output_gates.GATES
                if gate.option and judged.limit is not None and (gate.name, gate.what) == (judged.name, judged.what)
            )
        outputs = accuracy.outputs(self._reference, copy)
        gates = output_gates.judged(self._subject.name, self._reference.inputs, outputs, limits)
        return not any(gate.failed for gate in gates)

    def outputs_named(self, gates: Iterable[Gate]) -> frozenset[int]:
        """The numbers of the outputs that these gates judged."""
        subjects = {gate.subject for gate in gates if gate.name in _OF_OUTPUTS}
        calls = enumerate(output_gates.subject(name, self._subject.name) for name in self.names)
        return frozenset(number for number, called in calls if called in subjects)

    def time(self, copy: Runner) -> benchmark.PairedTimes:
        """The processor's time for a copy on one thread, in turns with the original's."""
        return benchmark.compare(self._original.invoke, copy.invoke, seconds=SECONDS, clock=time.thread_time)


def _answers(runner: Runner, inputs: Sequence[Sequence[np.ndarray]]) -> list[np.ndarray]:
    """Each output over all inputs."""
    answers = [runner.answer(arrays) for arrays in inputs]
    return [np.stack([each[place] for each in answers]) for place in range(len(runner.outputs))]


def _mean_square(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.mean((one.astype(np.float64) - other) ** 2))
