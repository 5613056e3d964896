"""Run a TFLite model's bytes in LiteRT's interpreter, the same way for every measurement."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter


class CannotRun(Exception):
    """The interpreter does not take this model; the text is its reason."""


@dataclass(frozen=True)
class Port:
    """One input or output as the interpreter reports it."""

    name: str
    shape: tuple[int, ...]
    dtype: str


class Runner:
    """A prepared interpreter: set inputs once, invoke as often as wanted."""

    def __init__(self, model: bytes, threads: int = 1) -> None:
        """Raises `CannotRun` if the interpreter refuses the model."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._interpreter: Any = Interpreter(model_content=model, num_threads=threads)
            self._interpreter.allocate_tensors()
        except (RuntimeError, ValueError, TypeError) as cause:
            raise CannotRun(_reason(cause)) from cause
        self._inputs = self._interpreter.get_input_details()
        self._outputs = self._interpreter.get_output_details()

    @property
    def inputs(self) -> tuple[Port, ...]:
        """The inputs in the model's order."""
        return tuple(_port(detail) for detail in self._inputs)

    @property
    def outputs(self) -> tuple[Port, ...]:
        """The outputs in the model's order."""
        return tuple(_port(detail) for detail in self._outputs)

    def feed(self, arrays: Sequence[np.ndarray]) -> None:
        """Set every input, in the model's order."""
        for index, detail in enumerate(self._inputs):
            self._interpreter.set_tensor(detail["index"], arrays[index])

    def invoke(self) -> None:
        """Run once; raises `CannotRun` with the kernel's own words."""
        try:
            self._interpreter.invoke()
        except (RuntimeError, ValueError) as cause:
            raise CannotRun(_reason(cause)) from cause

    def answer(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The outputs for these inputs."""
        self.feed(arrays)
        self.invoke()
        return self.results()

    def results(self) -> list[np.ndarray]:
        """Copies of all outputs of the last run, in the model's order."""
        return [np.array(self._interpreter.get_tensor(detail["index"])) for detail in self._outputs]


def _port(detail: Any) -> Port:
    return Port(detail["name"], tuple(int(size) for size in detail["shape"]), np.dtype(detail["dtype"]).name)


def _reason(cause: Exception) -> str:
    """The first line of what the interpreter said, without the place in its source."""
    lines = str(cause).strip().splitlines()
    return lines[0] if lines else type(cause).__name__
