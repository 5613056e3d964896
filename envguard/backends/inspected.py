"""What a container engine knows about an image, as a value."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from envguard.backends.engine import Engine


@dataclass(frozen=True, slots=True)
class InspectedImage:
    """An image in the engine: its id there, its layers' digests, tags, labels, creation time, and size in bytes."""

    id: str
    layers: tuple[str, ...]
    tags: tuple[str, ...]
    labels: Mapping[str, str]
    created: str
    bytes: int

    @property
    def content_id(self) -> str:
        """SHA-256 in hex over the layers: the same in every engine, unlike the id that the engine gives the image."""
        return hashlib.sha256("\n".join(self.layers).encode()).hexdigest()


def inspect(engine: Engine, name: str) -> InspectedImage:
    """Ask the engine about an image, by its name or id; what the SDK raises passes through."""
    return read_answer(engine.client.api.inspect_image(name))


def read_answer(answer: Any) -> InspectedImage:
    """Read the engine's answer."""
    return InspectedImage(
        id=str(answer["Id"]),
        layers=tuple(answer["RootFS"]["Layers"]),
        tags=tuple(answer.get("RepoTags") or ()),
        labels=answer["Config"].get("Labels") or {},
        created=str(answer.get("Created", "")),
        bytes=int(answer.get("Size", 0)),
    )
