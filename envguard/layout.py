"""Where the parts of a built environment lie."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Layout:
    """The interpreter to start steps with, and the folder that holds the installed distributions."""

    python: Path
    site_packages: Path

    @property
    def root(self) -> Path:
        """The virtual environment's folder."""
        return self.python.parent.parent
