"""The images of environments that are ready, and the container engine that holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envguard.backends.inside import CONTAINER
from envguard.running.environments.prepared import Prepared
from envguard.running.environments.preparing import Workshop

if TYPE_CHECKING:
    from envguard.backends.container import ContainerBackend
    from envguard.backends.image import Image


def containers_of(workshop: Workshop) -> ContainerBackend:
    """The backend of a workshop that makes images."""
    # Docker's SDK takes longer to import than most commands take to run, so it is imported on first use.
    from envguard.backends.container import ContainerBackend

    backend = workshop.backend_named(CONTAINER)
    assert isinstance(backend, ContainerBackend)
    return backend


def image_of(workshop: Workshop, prepared: Prepared) -> Image:
    """The image of an environment, built first if necessary."""
    return containers_of(workshop).image(prepared.installed)


def build_image(workshop: Workshop, prepared: Prepared) -> Image:
    """Build the image of an environment again, without a cache."""
    return containers_of(workshop).build(prepared.installed, cache=False)
