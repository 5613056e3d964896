"""Where the parts of a built environment are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Layout:
    """The interpreter that starts steps, and the folder that holds the installed distributions.

    An environment for images has no interpreter on this host: then `in_image` is set, and `python` is a path inside
    the image.
    """

    python: Path
    site_packages: Path
    in_image: bool = False

    @property
    def root(self) -> Path:
        """The virtual environment's folder; for images, the folder that is copied into them."""
        return self.site_packages if self.in_image else self.python.parent.parent

    @property
    def programs(self) -> Path:
        """The folder on this host that holds the programs of the distributions."""
        return self.site_packages / "bin" if self.in_image else self.python.parent
