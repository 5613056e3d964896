"""Small graphs for the rules of roads: a builder, and a seeded sweep over operators, shapes and broadcast forms."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Union

import numpy as np
from envguard_payload.graph.build import GraphBuilder
from envguard_payload.graph.schema import BuiltinOperator, generated

PICTURE = (1, 8, 8, 4)
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Typed:
    """A computed tensor of a type and, if it is an integer, of a scale."""

    shape: Shape
    type: int
    scale: float = 0.0


@dataclass(frozen=True)
class Int8:
    """A constant in int8 with a scale, or one per entry of the `axis`."""

    shape: Shape
    axis: int | None = None


@dataclass(frozen=True)
class Before:
    """The output of the operator before."""


Given = Union[Shape, np.ndarray, Typed, Int8, Before, None]  # noqa: UP007 - mypy takes no other alias here
"""An input: a computed float tensor of that shape, a constant, another type, what came before, or left out."""


@dataclass
class Graph:
    """A chain of operators; every computed tensor that none of them makes is an input of the model."""

    builder: Any = field(default_factory=GraphBuilder)
    inputs: list[int] = field(default_factory=list)
    last: tuple[int, ...] = ()

    def then(self, name: str, given: Sequence[Given], outputs: Sequence[Shape | Typed], **options: Any) -> Graph:
        """One operator more; `options` are by the schema's names, `version` is that of the operator."""
        version, custom = options.pop("version", 1), options.pop("custom", None)
        code = getattr(BuiltinOperator, name)
        indices = [self._input(each) for each in given]
        made = tuple(self._computed(each) for each in outputs)
        self.builder.operator(code, indices, made, _options(options.pop("kind", ""), options))
        known = self.builder.model.operatorCodes[self.builder.graph.operators[-1].opcodeIndex]
        known.version, known.customCode = version, custom
        self.last = made
        return self

    def model(self) -> Any:
        """The model, whose outputs are those of the last operator."""
        return self.builder.finish(self.inputs, self.last)

    def _input(self, given: Given) -> int:
        if given is None:
            return -1
        if isinstance(given, Before):
            return self.last[0]
        if isinstance(given, np.ndarray):
            return int(self.builder.constant(self._name(), given))
        if isinstance(given, Int8):
            return self._int8(given)
        index = self._computed(given)
        self.inputs.append(index)
        return index

    def _computed(self, given: Shape | Typed) -> int:
        if not isinstance(given, Typed):
            return int(self.builder.tensor(self._name(), given))
        index = int(self.builder.tensor(self._name(), given.shape, given.type))
        if given.scale:
            self._scale(index, [given.scale], 0)
        return index

    def _int8(self, given: Int8) -> int:
        count = 1 if given.axis is None else given.shape[given.axis]
        index = int(self.builder.constant(self._name(), np.full(given.shape, 3, np.int8)))
        self._scale(index, [0.02] * count, given.axis or 0)
        return index

    def _scale(self, index: int, scales: list[float], axis: int) -> None:
        known = generated.QuantizationParametersT()
        known.scale, known.zeroPoint, known.quantizedDimension = scales, [0] * len(scales), axis
        self.builder.graph.tensors[index].quantization = known

    def _name(self) -> str:
        return f"tensor{len(self.builder.graph.tensors)}"


def _options(kind: str, given: dict[str, Any]) -> Any:
    if not kind:
        return None
    options = getattr(generated, f"{kind}OptionsT")()
    for name, value in given.items():
        setattr(options, name, value)
    return options


def one(name: str, given: Sequence[Given], outputs: Sequence[Shape | Typed], **options: Any) -> Any:
    """A model of one operator."""
    return Graph().then(name, given, outputs, **options).model()


def numbers(*shape: int) -> np.ndarray:
    """A float constant of that shape; the same every time."""
    return np.random.default_rng(zlib.crc32(repr(shape).encode())).normal(size=shape).astype(np.float32)


def integers(*values: int) -> np.ndarray:
    """A row of int32."""
    return np.array(values, np.int32)


CONV = {"kind": "Conv2D", "strideH": 1, "strideW": 1, "dilationHFactor": 1, "dilationWFactor": 1}
DEPTHWISE = {**CONV, "kind": "DepthwiseConv2D", "depthMultiplier": 1}
POOL = {"kind": "Pool2D", "strideH": 2, "strideW": 2, "filterHeight": 2, "filterWidth": 2}

PAIRED = {"ADD": "Add", "MUL": "Mul", "SUB": "Sub", "DIV": "Div", "MAXIMUM": "MaximumMinimum", "POW": "Pow"}
ALONE = {
    "ABS": "", "CEIL": "", "EXP": "", "HARD_SWISH": "", "LEAKY_RELU": "LeakyRelu", "LOGISTIC": "", "NEG": "",
    "RELU": "", "RELU6": "", "ROUND": "", "RSQRT": "", "SIGN": "", "SIN": "", "SOFTMAX": "Softmax", "SQRT": "",
    "TANH": "",
}  # fmt: skip
BROADCAST = tuple(
    (*shape,)
    for shape in (
        (1,), (4,), (1, 1), (1, 4), (8, 4), (2, 4), (1, 8, 4), (1, 1, 4), (1, 8, 1), (8, 8, 4), (8, 1, 4), (2, 8, 4),
        PICTURE, (1, 1, 1, 4), (1, 1, 8, 4), (1, 8, 1, 4), (1, 8, 8, 1), (1, 1, 1, 1), (1, 1, 8, 1), (2, 8, 8, 4),
        (2, 1, 1, 4),
    )
)  # fmt: skip


def sweep(seed: int, count: int) -> Iterator[tuple[str, Any]]:
    """So many random models, each with its name: half are pairs of shapes, the others chains of layers."""
    random = np.random.default_rng(seed)
    for number in range(count):
        made = None
        while made is None:
            made = _pair(random) if number % 4 < 2 else _chain(random)
        yield f"sweep{number:04}", made


def _pair(random: np.random.Generator) -> Any:
    """Two operands, one of which may be constant; None where their shapes do not go together."""
    name = str(random.choice(sorted(PAIRED)))
    first, second = (BROADCAST[random.integers(len(BROADCAST))] for _ in range(2))
    try:
        shape = np.broadcast_shapes(first, second)
    except ValueError:
        return None
    given: list[Given] = [first, second]
    constant = int(random.integers(3))
    if constant < 2:
        given[constant] = numbers(*given[constant])  # type: ignore[misc]
    activation = {"fusedActivationFunction": int(random.integers(2))} if name in ("ADD", "MUL") else {}
    return one(name, given, [tuple(shape)], kind=PAIRED[name], **activation)


def _chain(random: np.random.Generator) -> Any:
    """One to four layers, each of which takes what the one before made."""
    graph = Graph()
    batch = 1 if random.integers(6) else 2
    size, channels = int(random.choice([4, 6, 8])), int(random.choice([1, 3, 4, 8]))
    shape: Shape = (batch, size, size, channels)
    source: Given = shape
    for _ in range(random.integers(1, 5)):
        layer = _LAYERS[random.integers(len(_LAYERS))]
        made = layer(random, graph, source, shape)
        if made is not None:
            shape, source = made, Before()
    return graph.model() if graph.last else None


def _convolution(random: np.random.Generator, graph: Graph, source: Given, shape: Shape) -> Shape | None:
    if len(shape) != 4:
        return None
    channels, form = int(random.choice([2, 4, 6])), int(random.integers(4))
    weights = (channels, 3, 3, shape[3])
    given: Given = Int8(weights, 0) if form == 1 else numbers(*weights)
    if form == 2 and not isinstance(source, Before):
        graph.then("DEQUANTIZE", [numbers(*weights).astype(np.float16)], [weights])
        given = Before()
    out = (*shape[:3], channels)
    graph.then("CONV_2D", [source, given, numbers(channels)], [out], **CONV, version=5 if form == 1 else 1)
    return out


def _depthwise(random: np.random.Generator, graph: Graph, source: Given, shape: Shape) -> Shape | None:
    if len(shape) != 4:
        return None
    times = int(random.choice([1, 1, 2]))
    channels = shape[3] * times
    options = {**DEPTHWISE, "depthMultiplier": times}
    graph.then(
        "DEPTHWISE_CONV_2D",
        [source, numbers(1, 3, 3, channels), numbers(channels)],
        [(*shape[:3], channels)],
        **options,
    )
    return (*shape[:3], channels)


def _alone(random: np.random.Generator, graph: Graph, source: Given, shape: Shape) -> Shape | None:
    name = str(random.choice(sorted(ALONE)))
    options = {"kind": ALONE[name]} if ALONE[name] else {}
    if name == "SOFTMAX":
        options["beta"] = float(random.choice([1.0, 1.0, 2.0]))  # type: ignore[assignment]
    graph.then(name, [source], [shape], **options)
    return shape


def _slopes(random: np.random.Generator, graph: Graph, source: Given, shape: Shape) -> Shape | None:
    forms: list[Shape] = [(shape[-1],), (1, 1, shape[-1]), shape[1:], (1, *shape[2:]), (1,)]
    graph.then("PRELU", [source, numbers(*forms[random.integers(len(forms))])], [shape])
    return shape


def _pool(random: np.random.Generator, graph: Graph, source: Given, shape: Shape) -> Shape | None:
    if len(shape) != 4 or shape[1] < 2 or shape[1] % 2:
        return None
    out = (shape[0], shape[1] // 2, shape[2] // 2, shape[3])
    graph.then(str(random.choice(["MAX_POOL_2D", "AVERAGE_POOL_2D"])), [source], [out], **POOL)
    return out


def _reshape(random: np.random.Generator, graph: Graph, source: Given, shape: Shape) -> Shape | None:
    size = int(np.prod(shape[1:]))
    forms: list[Shape] = [(shape[0], size), (shape[0] * size, 1), (shape[0], 1, size), (shape[0], size, 1, 1)]
    out: Shape = forms[random.integers(len(forms))]
    graph.then("RESHAPE", [source, integers(*out)], [out], kind="Reshape", newShape=list(out))
    return out


def _mean(random: np.random.Generator, graph: Graph, source: Given, shape: Shape) -> Shape | None:
    axes = [(1, 2), (2, 1), (1,), (3,), (1, 2, 3)][random.integers(5)]
    if len(shape) != 4:
        return None
    out: Shape = tuple(1 if axis in axes else size for axis, size in enumerate(shape))
    graph.then("MEAN", [source, integers(*axes)], [out], kind="Reducer", keepDims=True)
    return out


def _resize(random: np.random.Generator, graph: Graph, source: Given, shape: Shape) -> Shape | None:
    if len(shape) != 4:
        return None
    size = int(random.choice([2, 8, 16]))
    graph.then(
        "RESIZE_BILINEAR", [source, integers(size, size)], [(shape[0], size, size, shape[3])], kind="ResizeBilinear"
    )
    return (shape[0], size, size, shape[3])


def _joined(random: np.random.Generator, graph: Graph, source: Given, shape: Shape) -> Shape | None:
    axis = int(random.integers(len(shape)))
    other: Given = numbers(*shape) if random.integers(3) == 0 else shape
    out = tuple(2 * size if index == axis else size for index, size in enumerate(shape))
    graph.then("CONCATENATION", [source, other], [out], kind="Concatenation", axis=axis)
    return out


def _connected(random: np.random.Generator, graph: Graph, source: Given, shape: Shape) -> Shape | None:
    weights = (5, shape[-1])
    given: Given = Int8(weights, 0) if random.integers(2) else numbers(*weights)
    out = (*shape[:-1], 5)
    version = 9 if isinstance(given, Int8) else 1
    graph.then(
        "FULLY_CONNECTED", [source, given, numbers(5)], [out], kind="FullyConnected", keepNumDims=True, version=version
    )
    return out


def _transposed(random: np.random.Generator, graph: Graph, source: Given, shape: Shape) -> Shape | None:
    order = [0, *(1 + random.permutation(len(shape) - 1))]
    out = tuple(shape[axis] for axis in order)
    graph.then("TRANSPOSE", [source, integers(*order)], [out], kind="Transpose")
    return out


_LAYERS = (
    _convolution, _convolution, _depthwise, _alone, _alone, _slopes, _pool, _reshape, _mean, _resize, _joined,
    _connected, _transposed,
)  # fmt: skip
