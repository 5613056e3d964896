"""Inputs for a model when none are given: seeded, smooth like pictures, in the range that the model expects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .domains import Domain
from .interpreting import CannotRun, Port

LARGEST_GREY = 255
"""Grey levels above black: one of them is what the noise of a good camera comes to, and nobody sees it."""

SHORT_TEXTS = (b"hello", b"a good day", b"This was not worth the money.", b"42", b"")
"""Taken where a model has no vocabulary that could be read."""

PICTURE_AXES = 4
_CHANNELS = (1, 3, 4)


def batch(
    ports: Sequence[Port],
    ranges: Sequence[tuple[float, float]],
    seed: int,
    domains: Sequence[Domain] = (),
    open_size: int = 1,
) -> list[np.ndarray]:
    """One array per input. Raises `CannotRun` for inputs of a type that nothing can be made up for.

    A picture-like input `[.., height, width, channels]` is a blurred random field with a little noise on it: networks
    that were trained on pictures answer white noise with what they hardly ever answer a picture. Integers and strings
    are of the input's domain. Axes of any size get `open_size`, and 1 where they count the inputs of a batch.
    """
    random = np.random.default_rng(seed)
    arrays = []
    for index, port in enumerate(ports):
        domain = domains[index] if index < len(domains) else Domain()
        arrays.append(_array(_of_size(port, open_size), ranges[index], domain, random))
    return arrays


def with_noise(
    arrays: Sequence[np.ndarray], ranges: Sequence[tuple[float | np.ndarray, float | np.ndarray]], seed: int
) -> list[np.ndarray]:
    """The same inputs as a camera might give them: Gaussian noise with a sigma of one grey level, 1/255 of the range.

    A range of each channel's own makes noise in that channel's units. Inputs that are no floats stay as they are.
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
    return len(port.shape) == PICTURE_AXES and port.shape[3] in _CHANNELS and min(port.shape[1:3]) > 1


def _of_size(port: Port, size: int) -> Port:
    """The port with its open axes closed."""
    shape = list(port.shape)
    for axis in port.open_axes:
        shape[axis] = 1 if axis == 0 and len(shape) > 1 else size
    return replace(port, shape=tuple(shape))


def _array(port: Port, limits: tuple[float, float], domain: Domain, random: np.random.Generator) -> np.ndarray:
    dtype = np.dtype(port.dtype)
    if dtype.kind == "f":
        low, high = limits
        return (low + (high - low) * _unit(port, random)).astype(dtype)
    if dtype.kind in "iu":
        return _integers(port, domain, random).astype(dtype)
    if dtype.kind == "b":
        return random.random(port.shape) < 0.5
    if dtype.kind in "SO":
        words = np.array([*domain.words, *SHORT_TEXTS] if domain.words else SHORT_TEXTS)
        return random.choice(words, port.shape)
    raise CannotRun(f"input {port.name!r} takes {port.dtype}, for which no values can be made up")


def _integers(port: Port, domain: Domain, random: np.random.Generator) -> np.ndarray:
    """Indices within what is indexed; whole pixels or quantized numbers; a mask that begins with ones; or 0 and 1."""
    if domain.count is not None:
        return random.integers(0, max(1, domain.count), port.shape)
    if port.dtype in ("uint8", "int8"):
        kind = np.iinfo(port.dtype)
        return kind.min + np.round((kind.max - kind.min) * _unit(port, random))
    if "mask" in port.name.lower() and port.shape:
        length = random.integers((port.shape[-1] + 1) // 2, port.shape[-1] + 1)
        return np.broadcast_to(np.arange(port.shape[-1]) < length, port.shape)
    return random.integers(0, 2, port.shape)


def _unit(port: Port, random: np.random.Generator) -> np.ndarray:
    """Values in 0..1."""
    return _picture(port.shape, random) if len(port.shape) == PICTURE_AXES else random.random(port.shape)


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
