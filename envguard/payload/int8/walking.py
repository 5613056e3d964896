"""Carry samples through a graph, stopping at operators of interest to look at what flows there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ..graph import model as models
from ..graph.constants import is_constant
from ..graph.schema import ModelT, OperatorT
from ..graph.segment import segment
from ..measuring.interpreting import Runner

Sample = Sequence[np.ndarray]
"""One array per input of a model, in its order."""

Flow = Sequence[np.ndarray]
"""What one tensor holds, one array per sample."""


class Walk:
    """Samples on their way through the main subgraph of a model, as far as some operator.

    Weights and biases of operators that the walk has not reached yet may still be changed; they count from then on.
    """

    def __init__(self, model: ModelT, samples: Sequence[Sample]) -> None:
        self._model = model
        self._graph = model.subgraphs[0]
        self._done = 0
        self._count = len(samples)
        self._last_use = _last_uses(self._graph.operators, self._graph.outputs)
        self._flowing: dict[int, Flow] = {
            index: _Input(samples, place) for place, index in enumerate(self._graph.inputs)
        }

    def advance(self, operator: int) -> None:
        """Run everything before the operator with this number; raises `CannotRun`."""
        operators = self._graph.operators[self._done : operator]
        if not operators:
            return
        made = {index for each in operators for index in each.outputs}
        wanted = sorted(index for index in made if self._last_use.get(index, -1) >= operator)
        results = self._run(operators, wanted)
        self._done = operator
        self._keep(results)

    def inputs(self) -> Flow:
        """What the next operator is given as its first input."""
        return self._flowing[self._graph.operators[self._done].inputs[0]]

    def outputs(self) -> list[np.ndarray]:
        """What the next operator makes of the samples; the walk stays where it is."""
        operator = self._graph.operators[self._done]
        return self._run([operator], operator.outputs[:1])[operator.outputs[0]]

    def rest(self, inputs: Flow | None = None) -> list[np.ndarray]:
        """What the outputs of the graph are, each over all samples; the walk stays where it is.

        The next operator is given `inputs`, if there are any, in place of what flows there; all others are not.
        """
        before, done = self._flowing, self._done
        try:
            if inputs is not None:
                operator = self._graph.operators[done]
                self._flowing = {**before, operator.inputs[0]: inputs}
                made = self._run([operator], operator.outputs)
                self._flowing, self._done = {**before, **made}, done + 1
            operators = self._graph.operators[self._done :]
            made_later = {index for each in operators for index in each.outputs}
            found = self._run(operators, sorted(made_later.intersection(self._graph.outputs)))
            return [np.stack({**self._flowing, **found}[index]) for index in self._graph.outputs]
        finally:
            self._flowing, self._done = before, done

    def step(self, outputs: list[np.ndarray]) -> None:
        """Go past the next operator, taking these arrays for its only output."""
        tensor = self._graph.operators[self._done].outputs[0]
        self._done += 1
        self._keep({tensor: outputs})

    def _keep(self, made: dict[int, list[np.ndarray]]) -> None:
        flowing: dict[int, Flow] = {**self._flowing, **made}
        self._flowing = {index: each for index, each in flowing.items() if self._last_use.get(index, -1) >= self._done}

    def _run(self, operators: Sequence[OperatorT], outputs: Sequence[int]) -> dict[int, list[np.ndarray]]:
        made = {index for each in operators for index in each.outputs}
        read = {index for each in operators for index in each.inputs if index != -1} - made
        inputs = sorted(index for index in read if not is_constant(self._model, self._graph.tensors[index]))
        runner = Runner(models.save(segment(self._model, operators, inputs, outputs)))
        results: dict[int, list[np.ndarray]] = {index: [] for index in outputs}
        for number in range(self._count):
            answers = runner.answer([self._flowing[index][number] for index in inputs])
            for place, index in enumerate(outputs):
                results[index].append(answers[place])
        return results


class _Input(Sequence[np.ndarray]):
    """One input of all samples, asked for when wanted: samples may be made as they are read."""

    def __init__(self, samples: Sequence[Sample], place: int) -> None:
        self._samples = samples
        self._place = place

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, number):  # type: ignore[no-untyped-def]
        return self._samples[number][self._place]

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self._samples[number][self._place] for number in range(len(self._samples)))


def _last_uses(operators: Sequence[OperatorT], outputs: Sequence[int]) -> dict[int, int]:
    """Number of the last operator that reads each tensor; an output of the graph is read after all."""
    uses = {index: number for number, operator in enumerate(operators) for index in operator.inputs}
    return {**uses, **dict.fromkeys(outputs, len(operators))}
