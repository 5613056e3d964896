"""When a delegate refuses an operator: small questions, named by what they find; the rules are a table of them.

Each answers for one operator: nothing where the condition does not hold, else the words that a rule's message names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .operators import Operand, Operator

Words = Mapping[str, object]
Condition = Callable[[Operator], "Words | None"]  # quoted for Python 3.9, which evaluates it
YES: Words = {}

_SIGN_BIT = 5


def when(holds: Callable[[Operator], bool]) -> Condition:
    """A condition without words of its own."""
    return lambda operator: YES if holds(operator) else None


def newer_than(versions: Mapping[str, int]) -> Condition:
    """A version above the highest that is supported."""

    def newer(operator: Operator) -> Words | None:
        most = versions.get(operator.name)
        return {"most": most, "version": operator.version} if most and operator.version > most else None

    return newer


def fused_sign_bit(operator: Operator) -> bool:
    """An activation that is fused and that there is no code for."""
    return bool(operator.option("fusedActivationFunction") == _SIGN_BIT)


def first_is_constant(operator: Operator) -> bool:
    """A constant where the input belongs."""
    first = operator.input(0)
    return first is not None and first.constant


def nothing_computed(operator: Operator) -> bool:
    """Constants alone."""
    return not operator.runtime


def computed(index: int) -> Condition:
    """An input that is computed where only a constant is read."""
    return when(lambda operator: (each := operator.input(index)) is not None and not each.constant)


def two_computed_weights(operator: Operator) -> bool:
    """Weights that are computed."""
    return len(operator.runtime) > 1


# Shapes of two operands


def not_broadcast(operator: Operator) -> Words | None:
    """Two shapes with a different number of axes that ADD and MUL cannot bring together."""
    first, second = operator.inputs[0], operator.inputs[1]
    if first is None or second is None:
        return None
    longer, shorter = sorted((first.shape, second.shape), key=len, reverse=True)
    if len(shorter) < 2 or len(longer) == len(shorter):
        return None
    by_batch = len(longer) == 4 and longer[0] == 1
    fits = len(longer) == 4 and len(shorter) == 2 and (longer[0], longer[3]) == shorter
    if fits or (by_batch and (len(shorter) == 3 or shorter == (1, 1))):
        return None
    return {"first": _listed(first), "second": _listed(second)}


def crosswise(operator: Operator) -> bool:
    """Two shapes each of which is smaller than the other along some axis."""
    first, second = (each.shape for each in operator.inputs if each is not None)
    if len(first) != len(second):
        return False
    pairs = list(zip(first, second))  # noqa: B905 - Python 3.9
    return any(a < b for a, b in pairs) and any(b < a for a, b in pairs)


def unequal_terms(operator: Operator) -> bool:
    """Two computed terms of other shapes, neither of which is one number per channel."""
    pair = _computed_pair(operator)
    return pair is not None and pair[0] != pair[1] and not (_by_channel(*pair) or _by_channel(*reversed(pair)))


def unequal_in_order(operator: Operator) -> bool:
    """Two computed operands of other shapes, the second of which is not one number per channel."""
    pair = _computed_pair(operator)
    return pair is not None and pair[0] != pair[1] and not _by_channel(*pair)


def unmatched_factor(operator: Operator) -> Words | None:
    """A computed factor that is neither as large as the other along an axis nor of size 1 there."""
    pair = _computed_pair(operator)
    if pair is None:
        return None
    first, second = pair
    if first[1] <= second[1] and first[2] <= second[2] and first[3] == second[3]:
        first, second = second, first
    axes = (axis for axis in (2, 1, 3) if second[axis] not in (first[axis], 1))
    axis = next(axes, None)
    return None if axis is None else {"axis": axis}


def wide_constant(operator: Operator) -> bool:
    """A constant that is neither one number nor one per channel."""
    return any(each.elements != 1 and not each.is_linear for each in operator.fixed)


def constant_of_a_batch(operator: Operator) -> bool:
    """A constant that differs from one element of a batch to the next."""
    return any(not each.is_linear and len(each.shape) == 4 and each.shape[0] != 1 for each in operator.fixed)


def lost_batch(operator: Operator) -> bool:
    """A computed operand with a batch beside an output without one."""
    written = operator.outputs[0].bhwc
    sizes = [each.bhwc for each in operator.runtime]
    return written is not None and written[0] == 1 and any(size is not None and size[0] > 1 for size in sizes)


def cut_batch(operator: Operator) -> bool:
    """Less of a batch than there is."""
    read, written = _read(operator), operator.outputs[0].bhwc
    return bool(read and written and read[0] != written[0])


def same_twice(operator: Operator) -> bool:
    """Both operands are one and the same tensor."""
    first, second = operator.input(0), operator.input(1)
    return first is not None and second is not None and first.tensor is second.tensor


# Operators of their own


def slopes_of_other_channels(operator: Operator) -> bool:
    """Slopes in a row that are not one per channel."""
    slopes, read = operator.input(1), _read(operator)
    return bool(slopes and slopes.constant and read and slopes.is_linear and slopes.shape[-1] != read[3])


def slopes_not_like_a_picture(operator: Operator) -> Words | None:
    """Slopes of a rank that is not read as height, width and channels."""
    slopes = operator.input(1)
    if slopes is None or slopes.is_linear or len(slopes.shape) in (3, 4):
        return None
    return {"shape": "x".join(map(str, slopes.shape))}


def slopes_of_a_batch(operator: Operator) -> bool:
    """Slopes that differ from one element of a batch to the next."""
    slopes = operator.input(1)
    return bool(slopes and len(slopes.shape) == 4 and slopes.shape[0] != 1)


def slopes_of_other_shape(operator: Operator) -> bool:
    """Slopes that are neither one per channel nor as many as the input has numbers."""
    slopes, read = operator.input(1), _read(operator)
    if not (slopes and slopes.constant and read) or slopes.is_linear:
        return False
    return slopes.shape[-3:] != read[1:]


def mean_of_other_axes(operator: Operator) -> bool:
    """A mean that is not over both height and width."""
    source, axes = operator.input(0), operator.input(1)
    known = axes.integers() if axes is not None else None
    if source is None or known is None:
        return False
    rank = len(source.shape)
    return rank != 4 or {axis % rank for axis in known} != {1, 2}


def beta(operator: Operator) -> bool:
    """A softmax that scales what it reads."""
    return bool(abs(float(operator.option("beta", 1.0)) - 1.0) > 0)


def multiplied_depth(operator: Operator) -> bool:
    """A depthwise convolution that makes several channels of each of several."""
    read, weights = _read(operator), operator.input(1)
    return bool(read and weights and weights.shape[-1] != read[3] and read[3] != 1)


def grouped(operator: Operator) -> bool:
    """A convolution in groups of channels."""
    read, weights = _read(operator), operator.input(1)
    return bool(read and weights and len(weights.shape) == 4 and weights.shape[3] != read[3])


def other_width(operator: Operator) -> bool:
    """Weights of another width than the input has channels."""
    read, weights = _read(operator), operator.input(1)
    return bool(read and weights and len(weights.shape) == 2 and weights.shape[1] != read[3])


def shuffled(operator: Operator) -> Words | None:
    """Weights in a layout of their own."""
    return {"format": operator.option("weightsFormat")} if operator.option("weightsFormat") else None


def ranks_differ(operator: Operator) -> bool:
    """Axes are to be kept, yet input and output have a different number of them."""
    source = operator.input(0)
    keeps = bool(operator.option("keepNumDims", False))
    return bool(keeps and source is not None and len(source.shape) != len(operator.outputs[0].shape))


def paddings(operator: Operator) -> Words | None:
    """Paddings of other than three or four axes."""
    given = operator.input(1)
    if given is None or (len(given.shape) == 2 and given.shape[0] in (3, 4) and given.shape[1] == 2):
        return None
    return {"shape": "x".join(map(str, given.shape))}


def padded_batch(operator: Operator) -> bool:
    """Paddings of three axes: the delegate pads the batch by one."""
    given = operator.input(1)
    return given is not None and given.shape == (3, 2)


def symmetric(operator: Operator) -> Words | None:
    """Padding that mirrors the edge too; TFLite counts modes from 1."""
    mode = int(operator.option("mode"))
    return {"mode": mode + 1} if mode else None


def shrinking(operator: Operator) -> bool:
    """A picture that gets smaller."""
    read, written = _read(operator), operator.outputs[0].bhwc
    return bool(read and written and (written[1] < read[1] or written[2] < read[2]))


def both_corners(operator: Operator) -> bool:
    """Two conventions for the corners at once."""
    return bool(operator.option("alignCorners", False) and operator.option("halfPixelCenters", False))


def few_axes(operator: Operator) -> Words | None:
    """A tensor of other than three or four axes."""
    source = operator.input(0)
    rank = 0 if source is None else len(source.shape)
    return None if rank in (3, 4) else {"rank": rank}


def masked(option: str) -> Condition:
    """A mask that there is no code for."""
    return when(lambda operator: bool(operator.option(option)))


def few_starts(operator: Operator) -> bool:
    """Fewer starts than axes."""
    starts = operator.input(1)
    return starts is not None and starts.elements not in (3, 4)


def backwards(operator: Operator) -> bool:
    """Steps below zero."""
    steps = operator.input(3)
    return any(step < 0 for step in (steps.integers() if steps is not None else None) or ())


def concatenated_alone(operator: Operator) -> bool:
    """A single tensor."""
    return len(operator.inputs) == 1


def with_constants(operator: Operator) -> bool:
    """Constants among the tensors."""
    return bool(operator.fixed)


def other_than_two(operator: Operator) -> bool:
    """More or fewer than two terms."""
    return len(operator.inputs) != 2


def block(operator: Operator) -> bool:
    """Blocks of one."""
    return int(operator.option("blockSize")) == 1


def cast_unsupported(operator: Operator) -> Words | None:
    """A cast between types that there is no code for."""
    source = operator.input(0)
    if source is None:
        return None
    pair = (source.type_name, operator.outputs[0].type_name)
    known = {("BOOL", "FLOAT32"), ("FLOAT32", "BOOL"), ("FLOAT32", "INT32"), ("INT32", "FLOAT32"), ("INT32", "INT32")}
    return None if pair in known or pair == ("FLOAT32", "FLOAT32") else {"source": pair[0], "target": pair[1]}


def from_bool(operator: Operator) -> bool:
    """A truth value made a number."""
    source = operator.input(0)
    return source is not None and source.type_name == "BOOL"


def _computed_pair(operator: Operator) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """Batch, height, width and channels of two computed operands; None where one is constant or cannot be read."""
    first, second = operator.input(0), operator.input(1)
    if first is None or second is None or first.constant or second.constant:
        return None
    pair = first.bhwc, second.bhwc
    return None if pair[0] is None or pair[1] is None else (pair[0], pair[1])


def _by_channel(large: tuple[int, ...], small: tuple[int, ...]) -> bool:
    return small[1:3] == (1, 1) and small[3] == large[3]


def _read(operator: Operator) -> tuple[int, int, int, int] | None:
    source = operator.input(0)
    return None if source is None else source.bhwc


def _listed(operand: Operand) -> str:
    return "[" + ",".join(map(str, operand.shape)) + "]"
