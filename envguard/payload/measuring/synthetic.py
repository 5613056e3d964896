"""Inputs for a model when none are given: seeded, smooth like pictures, in the range that the model expects."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .interpreting import CannotRun, Port

LARGEST_GREY = 255
"""Grey levels above black: one of them is what the noise of a good camera comes to, and nobody sees it."""

_CHANNELS = (1, 3, 4)


def batch(ports: Sequence[Port], ranges: Sequence[tuple[float, float]], seed: int) -> list[np.ndarray]:
    """One array per input. Raises `CannotRun` for inputs that have no numbers, such as strings.

    A picture-like input `[.., height, width, channels]` is a blurred random field with a little noise on it: networks
    that were trained on pictures answer white noise with what they hardly ever answer a picture.
    """
    random = np.random.default_rng(seed)
    return [_array(port, ranges[index], random) for index, port in enumerate(ports)]


def with_noise(arrays: Sequence[np.ndarray], ranges: Sequence[tuple[float, float]], seed: int) -> list[np.ndarray]:
    """The same inputs as a camera might give them: Gaussian noise with a sigma of one grey level, 1/255 of the range.

    Inputs that are no floats stay as they are.
    """
    random = np.random.default_rng(seed)
    noisy = []
    for index, array in enumerate(arrays):
        low, high = ranges[index]
        noise = (high - low) / LARGEST_GREY * random.standard_normal(array.shape)
        noisy.append((array + noise).astype(array.dtype) if array.dtype.kind == "f" else array)
    return noisy


def is_picture(port: Port) -> bool:
    """Whether an input looks like a picture: [count, height, width, channels] with 1, 3 or 4 of these."""
    return len(port.shape) == 4 and port.shape[3] in _CHANNELS and min(port.shape[1:3]) > 1


def _array(port: Port, limits: tuple[float, float], random: np.random.Generator) -> np.ndarray:
    dtype = np.dtype(port.dtype)
    if dtype.kind == "f":
        low, high = limits
        unit = _picture(port.shape, random) if len(port.shape) == 4 else random.random(port.shape)
        return (low + (high - low) * unit).astype(dtype)
    if dtype.kind in "iu":
        return random.integers(0, 2, port.shape).astype(dtype)
    if dtype.kind == "b":
        return random.random(port.shape) < 0.5
    raise CannotRun(f"input {port.name!r} takes {port.dtype}, for which no values can be made up")


def _picture(shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    """Values in 0..1: detail at four scales, each half as strong as the coarser one."""
    count, height, width, channels = shape
    field = np.zeros(shape)
    for octave in range(4):
        cells = 2 ** (octave + 2)
        coarse = random.random((count, cells, cells, channels))
        rows = np.linspace(0, cells - 1, height)
        columns = np.linspace(0, cells - 1, width)
        field += _stretched(_stretched(coarse, rows, 1), columns, 2) / 2**octave
    field += 0.05 * random.random(shape)
    spread = np.ptp(field)
    return (field - field.min()) / (spread if spread > 0 else 1.0)


def _stretched(field: np.ndarray, places: np.ndarray, axis: int) -> np.ndarray:
    """The field, interpolated linearly at fractional places along one axis."""
    lower = np.floor(places).astype(int)
    upper = np.minimum(lower + 1, field.shape[axis] - 1)
    weight = np.expand_dims(places - lower, tuple(range(1, field.ndim - axis)))
    return np.take(field, lower, axis) * (1 - weight) + np.take(field, upper, axis) * weight
