"""Read any of the files that say what a project needs, by its name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from envguard.adopting.conda_files import read_conda
from envguard.adopting.found import Found, Wanted, refusal
from envguard.adopting.pylock_files import read_pylock
from envguard.adopting.pyproject_files import own_name, read_pyproject
from envguard.adopting.requirement_files import read_requirements
from envguard.adopting.uv_locks import read_uv_lock

KINDS = "requirements.txt, pyproject.toml, pylock.toml, uv.lock or environment.yml"


def read_project(path: Path, wanted: Wanted, pythons: Sequence[str]) -> Found:
    """What a file says of the packages that a project needs, on those of the Pythons that it allows.

    Raises BadInput for a file that is none of these kinds, and for one that does not hold what it should.
    """
    name = path.name
    if name == "pyproject.toml":
        return read_pyproject(path, wanted)
    if name == "pylock.toml" or (name.startswith("pylock.") and name.endswith(".toml")):
        return read_pylock(path, wanted, pythons)
    if name == "uv.lock":
        return read_uv_lock(path, wanted, pythons)
    if wanted.extras or wanted.groups:
        raise refusal(path, "it has neither extras nor dependency groups", "Leave out --extra and --group.")
    if path.suffix in (".yml", ".yaml"):
        return read_conda(path)
    if path.suffix in (".txt", ".in"):
        return read_requirements(path, name=own_name(path.with_name("pyproject.toml")) if wanted.own else "")
    raise refusal(path, "its name is none of those that are known", f"Name a {KINDS}.")
