"""What may become of one layer, and in which forms the weights of a model may be stored."""

from __future__ import annotations

from enum import Enum


class Treatment(str, Enum):
    """What becomes of one layer.

    With int8 weights alone, the runtime multiplies them out once and computes in float32. With int8 arithmetic it
    multiplies int8 by int8, its input rounded as it comes: runtimes have fast kernels for that in matrix products; of
    convolutions, measured with LiteRT 2.3, those with few channels become slower, and depthwise ones two to four times.
    Merged, it also does what the depthwise convolution before it did (see `merge_convolutions`); split, it reads what
    is above zero and what is below in two goes (see `split_signs`).
    """

    FLOAT = "float16"
    WEIGHTS = "int8"
    DYNAMIC = "int8 dynamic"
    MERGED = "int8 dynamic, merged"
    SPLIT = "int8 dynamic, split"


IN_INT8 = (Treatment.DYNAMIC, Treatment.MERGED, Treatment.SPLIT)
"""Those that compute in int8 where there are kernels for it: on a CPU."""


class Form(Enum):
    """In which forms a model's weights may be stored, so that the runtimes that it is for take it.

    GPU delegates want float16 behind DEQUANTIZE, or int8 that the convolution reads itself: they multiply that out
    once, while loading. On a CPU such a convolution computes in int8. With `MULTIPLIED_OUT` no CPU runs the model, so
    that what counts is the error of the weights alone.
    """

    ANY = "any"
    READ_DIRECTLY = "read directly"
    MULTIPLIED_OUT = "read directly, multiplied out"
