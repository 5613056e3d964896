"""Which of MediaPipe's landmarkers a bundle is for, and what its models are called and take."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ..contract import InspectFindings
from ..files.bundle import BUNDLE_SUFFIX, Bundle

BLENDSHAPES = "face_blendshapes"


class Kind(Enum):
    """The landmarker that takes a bundle, as its members tell."""

    FACE = "face"
    HAND = "hand"
    POSE = "pose"
    OTHER = "other"


@dataclass(frozen=True)
class Members:
    """The names of the model that finds what there is in a picture, and of the one that finds landmarks in a crop."""

    detector: str
    landmarks: str


MEMBERS = {
    Kind.FACE: Members("face_detector", "face_landmarks_detector"),
    Kind.HAND: Members("hand_detector", "hand_landmarks_detector"),
    Kind.POSE: Members("pose_detector", "pose_landmarks_detector"),
}


def kind_of(bundle: Bundle) -> Kind:
    """Which landmarker the bundle is for; a bare model is for none."""
    if bundle.suffix != BUNDLE_SUFFIX:
        return Kind.OTHER
    names = {model.name for model in bundle.models()}
    wanted = ((kind, {members.detector, members.landmarks}) for kind, members in MEMBERS.items())
    return next((kind for kind, both in wanted if both <= names), Kind.OTHER)


def has_blendshapes(bundle: Bundle) -> bool:
    """Whether the bundle has the model that turns landmarks into blendshapes.

    Without it the output must stay off: `BLENDSHAPES Tag and blendshapes model must be both set`.
    """
    return any(model.name == BLENDSHAPES for model in bundle.models())


def picture_sizes(inspected: InspectFindings) -> dict[str, tuple[int, int]]:
    """Height and width of the picture that a model takes, by model.

    Models with several inputs, or one that is not of shape (1, height, width, 3), take none.
    """
    sizes = {}
    for model in inspected.models:
        shapes = [port.shape for port in model.inputs]
        if len(shapes) == 1 and len(shapes[0]) == 4 and (shapes[0][0], shapes[0][3]) == (1, 3):
            sizes[model.name] = (shapes[0][1], shapes[0][2])
    return sizes
