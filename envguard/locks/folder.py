"""Where the shipped lock files lie: beside the sources in a checkout, inside the package when installed."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]


def shipped_lockfiles() -> Path:
    """The folder with one folder per environment."""
    installed = PACKAGE / "data" / "lockfiles"
    return installed if installed.is_dir() else PACKAGE.parent / "lockfiles"
