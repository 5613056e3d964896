"""Say how packages are mended in one environment: with the tools that its user has, the versions that it has."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from envguard.doctor.environments.distribution import Distribution
from envguard.doctor.environments.installed import InstalledEnvironment
from envguard.errors import NoEnvironment
from envguard.locks.uv import find_uv


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where an environment is used: the current folder, the home folder, the variables of the process."""

    cwd: Path
    home: Path
    environ: Mapping[str, str] = field(repr=False)

    def which(self, name: str) -> str:
        """The first program of that name on PATH; empty if there is none."""
        return shutil.which(name, path=self.environ.get("PATH", os.defpath)) or ""


@dataclass(frozen=True, slots=True)
class Tools:
    """The tools for one environment: its own pip, or else uv, or else the pip that Python brings (`ensurepip`)."""

    python: str
    pip: bool
    uv: str
    in_the_way: tuple[str, ...] = ()

    def install(self, requirements: Iterable[str], *, editable: bool = False) -> tuple[str, ...]:
        """Install these, with what they need."""
        return self._with((), requirements, "-e " if editable else "")

    def reinstall(self, distributions: Iterable[Distribution]) -> tuple[str, ...]:
        """Install exactly what is there once more, from a fresh download."""
        found = sorted({each.pinned for each in distributions})
        if self._by_uv:
            return self._with(("--reinstall", "--refresh", "--no-deps"), found, "")
        return self._with(("--force-reinstall", "--no-cache-dir", "--no-deps"), found, "")

    def uninstall(self, names: Iterable[str]) -> tuple[str, ...]:
        """Remove these."""
        words = " ".join(map(shlex.quote, sorted(names)))
        if self._by_uv:
            return (f"{self.uv} pip uninstall --python {self.python} {words}",)
        return (*self._first, f"{self.python} -m pip uninstall -y {' '.join((*self.in_the_way, words))}")

    @property
    def _by_uv(self) -> bool:
        return not self.pip and bool(self.uv)

    @property
    def _first(self) -> tuple[str, ...]:
        return () if self.pip else (f"{self.python} -m ensurepip",)

    def _with(self, options: tuple[str, ...], requirements: Iterable[str], before: str) -> tuple[str, ...]:
        words = (*options, *(before + shlex.quote(each) for each in requirements))
        if self._by_uv:
            return (f"{self.uv} pip install --python {self.python} {' '.join(words)}",)
        return (*self._first, f"{self.python} -m pip install {' '.join((*self.in_the_way, *words))}")


def tools_for(environment: InstalledEnvironment, around: Surroundings) -> Tools:
    """The tools that mend an environment."""
    pips = [each for each in (*environment.distributions, *environment.further) if each.name == "pip"]
    has_pip = any(_is_whole(each) for each in pips)
    managed = is_externally_managed(environment)
    return Tools(
        shlex.quote(str(environment.python)), has_pip, uv_for(around), ("--break-system-packages",) if managed else ()
    )


def _is_whole(pip: Distribution) -> bool:
    """Whether all of pip's modules are there: one that lacks some mends nothing."""
    return all((pip.folder.parent / each.path).is_file() for each in pip.files if each.path.endswith(".py"))


def is_externally_managed(environment: InstalledEnvironment) -> bool:
    """Whether pip refuses to install here (PEP 668); it does not in virtual environments."""
    return environment.kind != "virtual" and (environment.standard_library / "EXTERNALLY-MANAGED").is_file()


def uv_for(around: Surroundings) -> str:
    """How uv is called here: by its name where it is on PATH, else as envguard's own; empty if there is neither."""
    if around.which("uv"):
        return "uv"
    try:
        return shlex.quote(str(find_uv()))
    except NoEnvironment:
        return ""


def typed(*words: str | Path) -> str:
    """A command of these words, as it is typed."""
    return shlex.join(map(str, words))
