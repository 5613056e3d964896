"""The images of environments that are ready, and the container engine that has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envguard.backends.inside import CONTAINER
from envguard.running.preparing import Prepared, Workshop

if TYPE_CHECKING:
    from envguard.backends.container import ContainerBackend
    from envguard.backends.image import Image


def containers_of(workshop: Workshop) -> ContainerBackend:
    """The backend of a workshop that makes images."""
    # Docker's SDK takes longer to import than most commands do; the backend brings it, when it is first needed.
    from envguard.backends.container import ContainerBackend

    backend = workshop.backend_named(CONTAINER)
    assert isinstance(backend, ContainerBackend)
    return backend


def image_of(workshop: Workshop, prepared: Prepared) -> Image:
    """The image of an environment, built now if it is not there."""
    return containers_of(workshop).image(prepared.installed)


def build_image(workshop: Workshop, prepared: Prepared) -> Image:
    """The image of an environment, built again without a cache."""
    return containers_of(workshop).build(prepared.installed, cache=False)
