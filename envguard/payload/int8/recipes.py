"""What becomes int8 in one model, layer by layer: what may, what a goal takes without looking, and in words."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..contract import ModelRecipe, RecipeSummary
from ..graph.constants import is_constant, values
from ..graph.passes import store_int8
from ..graph.schema import BuiltinOperator, ModelT, SubGraphT, TensorT, TensorType, builtin_code
from ..protocol import Refused
from .goals import BALANCED, Goal
from .treatments import IN_INT8, Form, Treatment

BYTES_PER_CHANNEL = 12
"""What a quantized channel carries beside its weights: a float32 scale and an int64 zero point."""

LEAST_SAVING = 0.25
"""Share of a float16 tensor's bytes that int8 must save to be worth its error.

Depthwise 3x3 kernels never do: 9 weights and 12 bytes of scale per channel are more than 18 bytes of float16.
"""

LEAST_SHARE = 1 / 256
"""Part of the whole file below which a float16 tensor is not worth an error."""

SMALL_PART = 1 / 25
"""Part of the whole file that int8 must save in a model, or without a search only its first half becomes int8.

Errors near the outputs matter most, and so small a model is often the one that tells another where to look.
"""

_KINDS = {
    # operator: the quantizer's name for it, and the dimension of its weights that has a scale per element
    BuiltinOperator.CONV_2D: ("CONV_2D", 0),
    BuiltinOperator.DEPTHWISE_CONV_2D: ("DEPTHWISE_CONV_2D", 3),
    BuiltinOperator.FULLY_CONNECTED: ("FULLY_CONNECTED", 0),
    BuiltinOperator.TRANSPOSE_CONV: ("CONV_2D_TRANSPOSE", 0),
}
MATRIX_PRODUCT, CONVOLUTION = "FULLY_CONNECTED", "CONV_2D"
READ_DIRECTLY = (MATRIX_PRODUCT, CONVOLUTION)
CONSTANT = "constant"
"""The kind of what the quantizer does not know: tables and other constants, which `store_int8` stores."""

_WEIGHTS = 1
"""Which input holds the weights, the same for all four kinds."""


@dataclass(frozen=True)
class Layer:
    """One operator with constant float weights, in order of execution; or a constant, by the first that reads it.

    `kind` is the quantizer's name for the operator, or `CONSTANT`, `output` and `tensor` the indices of its output and
    its weights, `channel_dimension` the one that gets a scale per element, `count` the number of weights. `worthwhile`
    says whether int8 makes the file clearly smaller, `is_last` whether it makes an output of the model.
    """

    graph: int
    kind: str
    output: int
    tensor: int
    channel_dimension: int
    count: int
    worthwhile: bool
    is_last: bool

    @property
    def place(self) -> tuple[int, int, int]:
        """What the layer keeps when operators are rewritten: passes give products new weights, constants none."""
        return self.graph, self.output, self.tensor if self.kind == CONSTANT else -1


@dataclass(frozen=True)
class Recipe:
    """What to do with a model: a treatment for each of its `layers`, and whether large layers are compressed first."""

    treatments: tuple[Treatment, ...]
    compress: bool = False

    @property
    def is_float(self) -> bool:
        """Whether nothing becomes int8."""
        return set(self.treatments) <= {Treatment.FLOAT}

    @property
    def dynamic(self) -> frozenset[int]:
        """The numbers of the layers that compute in int8: recipes that agree in them take the same time."""
        return frozenset(number for number, each in enumerate(self.treatments) if each in IN_INT8)

    def written(self) -> ModelRecipe:
        """The recipe for a document; runs of equal treatments are counted."""
        runs = [(treatment.value, len(list(run))) for treatment, run in itertools.groupby(self.treatments)]
        return ModelRecipe(tuple((count, name) for name, count in runs), self.compress)

    @classmethod
    def read(cls, recipe: ModelRecipe, name: str) -> Recipe:
        """The recipe of the model called `name`; `Refused` for treatments that do not exist."""
        try:
            treatments = tuple(
                treatment for count, word in recipe.layers for treatment in [Treatment(word)] * _counted(count)
            )
        except ValueError as cause:
            raise Refused(f"The recipe for {name} cannot be read.", why=str(cause)) from cause
        return cls(treatments, recipe.low_rank)


MOST_LAYERS = 1 << 16


def _counted(count: int) -> int:
    if not 0 < count <= MOST_LAYERS:
        raise ValueError(f"{count} is not a valid number of layers")
    return count


@dataclass(frozen=True)
class Weights:
    """One constant weight tensor, by subgraph and index, and the dimension that has a scale per element."""

    graph: int
    tensor: int
    channel_dimension: int


@dataclass(frozen=True)
class Choice:
    """A recipe laid over the layers of a model: which operators and which weight tensors become int8."""

    layers: tuple[Layer, ...]
    recipe: Recipe

    @property
    def operators(self) -> tuple[Layer, ...]:
        """The layers whose weights become int8."""
        return self._with(*(each for each in Treatment if each is not Treatment.FLOAT))

    @property
    def products(self) -> tuple[Layer, ...]:
        """Those of them that the quantizer rewrites."""
        return tuple(layer for layer in self.operators if layer.kind != CONSTANT)

    @property
    def constants(self) -> tuple[tuple[int, int], ...]:
        """The others, by subgraph and tensor."""
        return tuple((layer.graph, layer.tensor) for layer in self.operators if layer.kind == CONSTANT)

    @property
    def dynamic(self) -> tuple[Layer, ...]:
        """Those of them that compute in int8 as well."""
        return self._with(*IN_INT8)

    @property
    def merged(self) -> tuple[Layer, ...]:
        """Those of these that also do what the depthwise convolution before them did."""
        return self._with(Treatment.MERGED)

    @property
    def split(self) -> tuple[Layer, ...]:
        """Those of these that read what is above zero and what is below in two goes."""
        return self._with(Treatment.SPLIT)

    def _with(self, *treatments: Treatment) -> tuple[Layer, ...]:
        pairs = zip(self.layers, self.recipe.treatments)  # noqa: B905 - Python 3.9
        return tuple(layer for layer, treatment in pairs if treatment in treatments)

    def moved_to(self, model: ModelT) -> Choice:
        """The same choice for a model whose operators were rewritten; layers that are gone now drop out."""
        now = {layer.place: layer for layer in layers(model, 0)}
        pairs = zip(self.layers, self.recipe.treatments)  # noqa: B905 - Python 3.9
        kept = [(now[layer.place], each) for layer, each in pairs if layer.place in now]
        return Choice(tuple(layer for layer, _ in kept), Recipe(tuple(each for _, each in kept), self.recipe.compress))

    @property
    def weights(self) -> tuple[Weights, ...]:
        """Every tensor of products that becomes int8 once, however many operators share it."""
        found = {(each.graph, each.tensor): each.channel_dimension for each in self.products}
        return tuple(Weights(graph, tensor, dimension) for (graph, tensor), dimension in found.items())

    def int8_tensors(self) -> dict[tuple[int, int], int]:
        """How many weights each tensor that becomes int8 has, by subgraph and index."""
        return {(each.graph, each.tensor): each.count for each in self.operators}

    def _arithmetic(self) -> str:
        kinds = {MATRIX_PRODUCT: "matrix products", CONVOLUTION: "convolutions"}
        counts = {words: sum(each.kind == kind for each in self.dynamic) for kind, words in kinds.items()}
        found = " and ".join(f"{count} {words}" for words, count in counts.items() if count)
        return f"float32, and int8 in {found}" if found else "float32"

    def summary(self) -> RecipeSummary:
        """The choice in words and numbers, for a report."""
        chosen = self.int8_tensors()
        kept = {(each.graph, each.tensor): each.count for each in self.layers}
        kept = {place: count for place, count in kept.items() if place not in chosen}
        return RecipeSummary(
            weights="int8, symmetric, per output channel" if chosen else "unchanged",
            arithmetic=self._arithmetic(),
            inputs_and_outputs="float32",
            int8_tensors=len(chosen),
            int8_weights=sum(chosen.values()),
            float_tensors=len(kept),
            float_weights=sum(kept.values()),
        )


def layers(model: ModelT, file_bytes: int) -> tuple[Layer, ...]:
    """Every layer of the model; `file_bytes` is the size of the file that it lies in: of the bundle, if it does.

    Constants are layers only if they are worthwhile.
    """
    found: list[Layer] = []
    for number, graph in enumerate(model.subgraphs):
        constants = _constants(model, graph, LEAST_SHARE * file_bytes)
        for operator in graph.operators:
            code = builtin_code(model.operatorCodes[operator.opcodeIndex])
            last = not set(operator.outputs).isdisjoint(graph.outputs)
            found += [
                Layer(number, CONSTANT, operator.outputs[0], each.tensor, 0, _count(graph, each.tensor), True, last)
                for each in constants.values()
                if each.reader is operator
            ]
            if code not in _KINDS or not _has_constant_weights(model, graph, operator.inputs):
                continue
            kind, channel_dimension = _KINDS[code]
            index = operator.inputs[_WEIGHTS]
            worthwhile = _is_worth_it(graph.tensors[index], channel_dimension, LEAST_SHARE * file_bytes)
            if index not in constants:
                count = _count(graph, index)
                found.append(
                    Layer(number, kind, operator.outputs[0], index, channel_dimension, count, worthwhile, last)
                )
    return tuple(found)


def is_product(code: int) -> bool:
    """Whether the operator is one whose weights the quantizer rewrites."""
    return code in _KINDS


def _constants(model: ModelT, graph: SubGraphT, least_bytes: float) -> dict[int, store_int8.Constant]:
    """Constants that are worthwhile and that int8 holds well enough."""
    return {
        each.tensor: each
        for each in store_int8.storable(model, graph)
        if _is_worth_it(graph.tensors[each.tensor], None, least_bytes)
        and store_int8.layout(model, graph, each) is not None
    }


def _count(graph: SubGraphT, index: int) -> int:
    return math.prod(graph.tensors[index].shape)


def everything(found: Sequence[Layer], *, products: bool, last: bool = True) -> Recipe:
    """Int8 for every worthwhile layer, but those that make an output only if `last`; int8 arithmetic for `products`."""
    return Recipe(
        tuple(
            Treatment.FLOAT
            if not layer.worthwhile or (layer.is_last and not last)
            else Treatment.DYNAMIC
            if products and layer.kind == MATRIX_PRODUCT
            else Treatment.WEIGHTS
            for layer in found
        )
    )


def read_directly(found: Sequence[Layer], recipe: Recipe) -> Recipe:
    """The same with int8 that convolutions and matrix products read themselves, and float16 for all else."""
    pairs = zip(found, recipe.treatments)  # noqa: B905 - Python 3.9
    in_int8 = [layer.kind in READ_DIRECTLY and each is not Treatment.FLOAT for layer, each in pairs]
    return replace(recipe, treatments=tuple(Treatment.DYNAMIC if each else Treatment.FLOAT for each in in_int8))


def choose(model: ModelT, file_bytes: int, goal: Goal = BALANCED) -> Choice:
    """What a goal takes of a model without looking; for `file_bytes` see `layers`."""
    found = layers(model, file_bytes)
    return Choice(found, unsearched(found, goal, file_bytes))


def unsearched(found: Sequence[Layer], goal: Goal, file_bytes: int) -> Recipe:
    """What a goal takes where nothing can be measured on real inputs."""
    recipe = everything(found, products=goal.products, last=goal.last)
    if goal.form is not Form.ANY:
        recipe = read_directly(found, recipe)
    chosen = Choice(tuple(found), recipe)
    if sum(chosen.int8_tensors().values()) >= SMALL_PART * file_bytes:
        return recipe
    return farther_part(found, recipe, 1 / 2)


def farther_part(found: Sequence[Layer], recipe: Recipe, part: float) -> Recipe:
    """The recipe with float16 for those int8 weights that are nearer to the outputs, but for `part` of the tensors."""
    tensors = list(Choice(tuple(found), recipe).int8_tensors())
    kept = set(tensors[: math.ceil(part * len(tensors))])
    pairs = zip(found, recipe.treatments)  # noqa: B905 - Python 3.9
    treatments = [each if (layer.graph, layer.tensor) in kept else Treatment.FLOAT for layer, each in pairs]
    return Recipe(tuple(treatments), recipe.compress)


def _has_constant_weights(model: ModelT, graph: SubGraphT, inputs: list[int]) -> bool:
    if len(inputs) <= _WEIGHTS or inputs[_WEIGHTS] == -1:
        return False
    tensor = graph.tensors[inputs[_WEIGHTS]]
    if tensor.type != TensorType.FLOAT32 or tensor.sparsity is not None or not is_constant(model, tensor):
        return False
    # A scale cannot be found for infinities and NaN.
    return bool(np.isfinite(values(model, tensor)).all())


def _is_worth_it(tensor: TensorT, channel_dimension: int | None, least_bytes: float) -> bool:
    """Without a dimension that has a scale per element, there is one scale."""
    if channel_dimension is not None and len(tensor.shape) <= channel_dimension:
        return False
    weights = math.prod(tensor.shape)
    float16_bytes = 2 * weights
    scales = 1 if channel_dimension is None else tensor.shape[channel_dimension]
    int8_bytes = weights + BYTES_PER_CHANNEL * scales
    return bool(float16_bytes >= least_bytes and int8_bytes <= (1 - LEAST_SAVING) * float16_bytes)
