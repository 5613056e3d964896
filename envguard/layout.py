"""Where the parts of a built environment lie."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Layout:
    """The interpreter to start steps with, and the folder that holds the installed distributions.

    That of an environment for images lies on this host without an interpreter: then `in_image` is set, and `python` is
    a path inside the image.
    """

    python: Path
    site_packages: Path
    in_image: bool = False

    @property
    def root(self) -> Path:
        """The virtual environment's folder; for images the one that is copied in."""
        return self.site_packages if self.in_image else self.python.parent.parent

    @property
    def programs(self) -> Path:
        """The folder of this host that holds the programs which the distributions bring."""
        return self.site_packages / "bin" if self.in_image else self.python.parent
