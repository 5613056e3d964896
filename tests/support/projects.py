"""Small real projects: an envguard.toml, scripts, and locks of nothing at all, so that no package index is needed."""

from __future__ import annotations

import textwrap
from dataclasses import replace
from pathlib import Path

from envguard.catalog import Catalog, load_catalog
from envguard.locks.lockfile import Lock, lock_path
from envguard.running.environments.preparing import Workshop
from envguard.trust.allowing import allow, standing_of
from tests.support.environments import workshop

CUT_OFF = "2026-11-20T00:00:00Z"
ENVIRONMENT = """
[environments.{name}]
summary = "a bare Python"
pythons = ["{python}"]
check = {{ command = ["python", "-c", "import sys; assert not sys.flags.no_site"] }}

[environments.{name}.editions.1]
requirements = []
"""


def bare(name: str, python: str) -> str:
    """An environment without packages, as TOML."""
    return ENVIRONMENT.format(name=name, python=python)


def write_project(folder: Path, python: str, text: str, scripts: dict[str, str]) -> Path:
    """A trusted project with the bare environments `one` and `two`, the given tasks and scripts; its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    environments = bare("one", python) + bare("two", python)
    (folder / "envguard.toml").write_text("schema = 1\n" + environments + textwrap.dedent(text), encoding="utf-8")
    for name, code in scripts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(textwrap.dedent(code), encoding="utf-8")
    for environment in ("one", "two"):
        lock = Lock(environment, "1", python, CUT_OFF, (), (), ())
        path = lock_path(folder / "lockfiles", environment, "1", python)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(lock.text(), encoding="utf-8")
    return trusted(folder)


def trusted(folder: Path) -> Path:
    """The project there once its user trusts it as it is now, as `envguard trust` does; its folder."""
    standing = standing_of(catalog_of(folder))
    assert standing is not None
    allow(standing)
    return folder


def catalog_of(project: Path) -> Catalog:
    """The catalog of a project."""
    return load_catalog(project, {"ENVGUARD_PROJECT": str(project)})


def shop_of(project: Path, home: Path, environ: dict[str, str] | None = None) -> Workshop:
    """A workshop with a project's catalog, which its user allows."""
    shop = workshop(home, environ)
    shop.catalog = replace(catalog_of(project), allowed=True)
    return shop
