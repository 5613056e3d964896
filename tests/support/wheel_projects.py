"""A small project whose one environment holds a module from a wheel made here, so that no package index is needed."""

from __future__ import annotations

from pathlib import Path

from envguard.files import file_facts
from envguard.locks.lockfile import Lock, LockedPackage, LockedWheel, lock_path
from tests.support.local_index import make_wheel
from tests.support.projects import CUT_OFF, trusted
from tests.support.tiny import PYTHON

MODULE = "private_thing"
TOML = f"""
schema = 1

[environments.tools]
summary = "holds one module"
pythons = ["{PYTHON}"]
check = "checks.imports"
check-options = {{ modules = ["{MODULE}"] }}

[environments.tools.editions.1]
requirements = ["{MODULE}==1.0"]
"""


def write_wheel_project(folder: Path) -> Path:
    """A trusted project with the environment `tools`, whose wheel is in an index of its own; its folder."""
    wheels = folder / "index" / "private-thing"
    wheels.mkdir(parents=True)
    wheel = make_wheel(wheels, MODULE, "1.0")
    page = f'<!DOCTYPE html><html><body><a href="{wheel.name}">{wheel.name}</a></body></html>'
    (wheels / "index.html").write_text(page, encoding="utf-8")
    (folder / "envguard.toml").write_text(TOML, encoding="utf-8")
    package = LockedPackage("private-thing", "1.0", "", (LockedWheel(wheel.name, file_facts(wheel).sha256),))
    lock = Lock("tools", "1", PYTHON, CUT_OFF, (f"{MODULE}==1.0",), (), (package,))
    path = lock_path(folder / "lockfiles", "tools", "1", PYTHON)
    path.parent.mkdir(parents=True)
    path.write_text(lock.text(), encoding="utf-8")
    return trusted(folder)


def index_of(project: Path) -> dict[str, str]:
    """The variables that name the project's index: a folder with a page for each package."""
    return {"UV_DEFAULT_INDEX": (project / "index").as_uri()}
