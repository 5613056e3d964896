"""The catalog and lock files that envguard ships: next to the sources in a checkout, in the package if installed."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from envguard.catalog.model import Catalog
from envguard.catalog.reading import read_catalog

PACKAGE = Path(__file__).resolve().parents[1]
BUILTIN = PACKAGE / "catalog" / "builtin.toml"


@cache
def builtin_catalog() -> Catalog:
    """The catalog that envguard ships."""
    return read_catalog(BUILTIN, lockfiles=shipped_lockfiles())


def shipped_lockfiles() -> Path:
    """The folder of the shipped lock files, one folder per environment."""
    installed = PACKAGE / "data" / "lockfiles"
    return installed if installed.is_dir() else PACKAGE.parent / "lockfiles"
