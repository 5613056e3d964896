"""What general commands ask the models wing: it is found by name, so that nothing here knows what a model is."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

WING = "envguard.models.model_files"


class Wing(Protocol):
    """The questions, and who answers them is a module of the wing."""

    def offered_models(self, folder: Path) -> list[str]:
        """The names of the files in a folder that the first built-in task takes, best first; raises OSError."""

    def default_name(self, source: Path) -> str:
        """What the output of the first built-in task is called unless the user names it."""


def wing() -> Wing:
    """The module that answers."""
    return cast(Wing, import_module(WING))
