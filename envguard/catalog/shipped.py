"""The catalog and lock files that envguard ships: next to the sources in a checkout, in the package if installed."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from envguard.catalog.model import Catalog
from envguard.catalog.reading import read_catalog

PACKAGE = Path(__file__).resolve().parents[1]
BUILTIN = PACKAGE / "catalog" / "builtin.toml"
INSTALLED_LOCKFILES = PACKAGE / "data" / "lockfiles"


@cache
def builtin_catalog() -> Catalog:
    """The catalog that envguard ships."""
    return read_catalog(BUILTIN, lockfiles=shipped_lockfiles())


def shipped_lockfiles() -> Path:
    """The folder of the shipped lock files, one folder per environment."""
    return PACKAGE.parent / "lockfiles" if is_checkout() else INSTALLED_LOCKFILES


def is_checkout() -> bool:
    """Whether this envguard is a checkout, whose catalog and locks its developers change, and not installed."""
    return not INSTALLED_LOCKFILES.is_dir()
