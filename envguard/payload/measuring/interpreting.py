"""Run a TFLite model's bytes in LiteRT's interpreter, the same way for every measurement."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np
from ai_edge_litert.interpreter import Interpreter


class CannotRun(Exception):
    """The interpreter does not take this model; the text is its reason."""


@dataclass(frozen=True)
class Port:
    """One input or output as the interpreter reports it; `open_axes` are those that any size fits."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    open_axes: tuple[int, ...] = ()


class _Detail(TypedDict):
    """What is used of LiteRT's description of a tensor."""

    name: str
    index: int
    shape: np.ndarray
    shape_signature: np.ndarray
    dtype: type


class Runner:
    """A prepared interpreter: set inputs once, invoke as often as wanted.

    With `signature`, what that signature computes is run, and inputs and outputs are named as it names them.
    """

    def __init__(self, model: bytes, threads: int = 1, signature: str = "") -> None:
        """Raises `CannotRun` if the interpreter refuses the model."""
        self._model, self._threads, self._signature = model, threads, signature
        self._interpreter: Any = None
        self._call: Any = None
        self._inputs: dict[str, _Detail] = {}
        self._outputs: dict[str, _Detail] = {}
        self._fed: dict[str, np.ndarray] = {}
        self._answered: Mapping[str, np.ndarray] = {}
        self._start()

    @property
    def inputs(self) -> tuple[Port, ...]:
        """The inputs in the model's order."""
        return tuple(_port(name, detail) for name, detail in self._inputs.items())

    @property
    def outputs(self) -> tuple[Port, ...]:
        """The outputs in the model's order."""
        return tuple(_port(name, detail) for name, detail in self._outputs.items())

    @property
    def signatures(self) -> tuple[str, ...]:
        """The names of all signatures that the model has."""
        return tuple(self._interpreter.get_signature_list())

    def start_over(self) -> None:
        """Forget all that earlier calls left behind: variables of every kind have their first values again."""
        self._start()

    def feed(self, arrays: Sequence[np.ndarray]) -> None:
        """Set every input, in the model's order; axes that any size fits take the arrays' own.

        Raises `CannotRun` for arrays that the model does not take.
        """
        if self._call is not None:
            self._fed = dict(zip(self._inputs, arrays))  # noqa: B905 - Python 3.9
            return
        try:
            self._resize(arrays)
            for detail, array in zip(self._inputs.values(), arrays):  # noqa: B905 - Python 3.9
                self._interpreter.set_tensor(detail["index"], array)
        except (RuntimeError, ValueError, TypeError) as cause:
            raise CannotRun(_reason(cause)) from cause

    def invoke(self) -> None:
        """Run once; raises `CannotRun` with the kernel's own words."""
        try:
            if self._call is None:
                self._interpreter.invoke()
            else:
                self._answered = self._call(**self._fed)
        except (RuntimeError, ValueError, TypeError) as cause:
            raise CannotRun(_reason(cause)) from cause

    def answer(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The outputs for these inputs."""
        self.feed(arrays)
        self.invoke()
        return self.results()

    def results(self) -> list[np.ndarray]:
        """Copies of all outputs of the last run, in the model's order; raises `CannotRun` if one was not made."""
        if self._call is not None:
            return [np.array(self._answered[name]) for name in self._outputs]
        try:
            return [np.array(self._interpreter.get_tensor(detail["index"])) for detail in self._outputs.values()]
        except (RuntimeError, ValueError) as cause:
            raise CannotRun(_reason(cause)) from cause

    def _start(self) -> None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._interpreter = Interpreter(model_content=self._model, num_threads=self._threads)
            if self._signature:
                self._call = self._interpreter.get_signature_runner(self._signature)
                self._inputs, self._outputs = self._call.get_input_details(), self._call.get_output_details()
                return
            self._interpreter.allocate_tensors()
            self._inputs = _by_place(self._interpreter.get_input_details())
            self._outputs = _by_place(self._interpreter.get_output_details())
        # Names that are no UTF-8 are ValueErrors too.
        except (RuntimeError, ValueError, TypeError) as cause:
            raise CannotRun(_reason(cause)) from cause

    def _resize(self, arrays: Sequence[np.ndarray]) -> None:
        resized = False
        for detail, array in zip(self._inputs.values(), arrays):  # noqa: B905 - Python 3.9
            if tuple(detail["shape"]) != np.shape(array) and _open_axes(detail):
                self._interpreter.resize_tensor_input(detail["index"], np.shape(array), strict=True)
                resized = True
        if resized:
            self._interpreter.allocate_tensors()
            self._inputs = _by_place(self._interpreter.get_input_details())


def _by_place(details: Sequence[_Detail]) -> dict[str, _Detail]:
    """The details by name; equal names are told apart by their places."""
    named: dict[str, _Detail] = {}
    for place, detail in enumerate(details):
        name = detail["name"]
        named[f"{name} ({place})" if name in named else name] = detail
    return named


def _port(name: str, detail: _Detail) -> Port:
    shape = tuple(int(size) for size in detail["shape"])
    return Port(name, shape, np.dtype(detail["dtype"]).name, _open_axes(detail))


def _open_axes(detail: _Detail) -> tuple[int, ...]:
    return tuple(axis for axis, size in enumerate(detail["shape_signature"]) if size < 0)


def _reason(cause: Exception) -> str:
    """The first line of what the interpreter said, without the place in its source."""
    lines = str(cause).strip().splitlines()
    return lines[0] if lines else type(cause).__name__
