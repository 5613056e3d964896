"""The kinds of bundles that there are, of which a bundle's members choose one."""

from __future__ import annotations

from collections.abc import Sequence

from ..contract import InspectedModel
from ..files.bundle import Bundle
from .face import FACE
from .gesture import GESTURE
from .hand import HAND
from .kind import LandmarkKind
from .pose import POSE

KINDS: tuple[LandmarkKind, ...] = (FACE, HAND, POSE, GESTURE)


def kind_of(bundle: Bundle) -> LandmarkKind | None:
    """The kind of the bundle; None for one of no kind, and for a bare model."""
    return next((kind for kind in KINDS if kind.takes(bundle)), None)


def picture_sizes(models: Sequence[InspectedModel]) -> dict[str, tuple[int, int]]:
    """Height and width of the picture that a model takes, by model.

    Models with several inputs, or one that is not of shape (1, height, width, 3), take none.
    """
    sizes = {}
    for model in models:
        shapes = [port.shape for port in model.inputs]
        if len(shapes) == 1 and len(shapes[0]) == 4 and (shapes[0][0], shapes[0][3]) == (1, 3):
            sizes[model.name] = (shapes[0][1], shapes[0][2])
    return sizes
