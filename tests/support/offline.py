"""Environments to break and to mend without a package index: real Pythons, a folder of small wheels, a real shell."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from envguard.doctor.environments.base import PARTS
from envguard.doctor.environments.curing import Surroundings
from envguard.doctor.environments.examining import examine_environment
from envguard.doctor.finding import Finding
from envguard.host.interpreters import HostFacts, Interpreter
from envguard.locks.uv import find_uv
from tests.support.local_index import make_wheel


def make_wheels(folder: Path) -> Path:
    """Wheels that stand for small packages: `base`, which `user` needs, in two versions each, and two OpenCVs."""
    folder.mkdir()
    for version in ("1.0", "2.0"):
        make_wheel(folder, "base", version, others={"base_data/__init__.py": f"said = {version!r}\n"})
        make_wheel(folder, "user", version, needs=[f"base=={version}"], code="import base\n")
    for name in ("opencv_python", "opencv_python_headless"):
        make_wheel(folder, name, "4.0", others={"cv2/__init__.py": f"said = {name!r}\n"})
    for name in ("one", "other"):
        make_wheel(folder, name, "1.0", others={"shared/__init__.py": f"said = {name!r}\n"})
    return folder


def make_python(folder: Path, like: Interpreter, without: Iterable[str] = ()) -> Path:
    """An installation of Python that can be deleted or spoiled: a copy of the program, links to its library.

    It lacks the standard modules `without`, and has no packages but pip's wheel for ensurepip.
    """
    minor = "python" + ".".join(map(str, like.version[:2]))
    theirs = Path(like.facts.base_prefix, "lib", minor)
    ours = folder / "lib" / minor
    (ours / "site-packages").mkdir(parents=True)
    (ours / "lib-dynload").mkdir()
    (folder / "bin").mkdir()
    shutil.copy2(like.real_path, folder / "bin" / minor)
    for alias in ("python", "python3"):
        (folder / "bin" / alias).symlink_to(minor)
    for each in theirs.iterdir():
        if each.name not in ("lib-dynload", "site-packages", "EXTERNALLY-MANAGED", "__pycache__"):
            (ours / each.name).symlink_to(each)
    for each in (theirs / "lib-dynload").iterdir():
        if each.name.partition(".")[0] not in without:
            (ours / "lib-dynload" / each.name).symlink_to(each)
    return folder / "bin" / "python3"


def complete_python(host: HostFacts, least: tuple[int, int] = (3, 9)) -> Interpreter:
    """A Python of this host with all its parts, from which environments can be made; skips the test without one."""
    for row in host.usable:
        minor = f"python{row.version[0]}.{row.version[1]}"
        base = Path(row.facts.base_prefix)
        has_pip = (base / "lib" / minor / "ensurepip" / "_bundled").is_dir()
        complete = not set(row.facts.missing_modules) & set(PARTS)
        if has_pip and complete and base != Path("/usr") and row.version[:2] >= least:
            return row
    pytest.skip("no complete Python with ensurepip on this host")


class Offline:
    """One environment and the folder that its user is in; commands find `wheels` and no index."""

    def __init__(self, folder: Path, python: Path, wheels: Path, *options: str) -> None:
        self.folder, self.cwd, self.home = folder / "venv", folder / "here", folder / "home"
        self.python = self.folder / "bin" / "python"
        bundled = next(python.parent.parent.glob("lib/python3*/ensurepip/_bundled"))
        self.environ = {
            "PATH": os.pathsep.join((str(python.parent), str(find_uv().parent), os.defpath)),
            "HOME": str(self.home),
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": f"{wheels} {bundled}",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_NO_COMPILE": "1",
            "PIP_ROOT_USER_ACTION": "ignore",
            "UV_CONFIG_FILE": str(folder / "settings.toml"),
            "UV_LINK_MODE": "copy",
            "UV_CACHE_DIR": str(folder / "cache"),
            "UV_PYTHON_DOWNLOADS": "never",
        }
        for each in (self.cwd, self.home):
            each.mkdir(parents=True)
        (folder / "settings.toml").write_text(f"no-index = true\nfind-links = ['{wheels}', '{bundled}']\n")
        self.sh(f"uv venv --quiet --python {python} {' '.join(options)} {self.folder}")

    @property
    def site_packages(self) -> Path:
        (found,) = self.folder.glob("lib/python3*/site-packages")
        return found

    def install(self, *requirements: str) -> None:
        """Install with uv, which is quick; pip comes from the wheel that Python has for ensurepip."""
        self.sh(f"uv pip install --quiet --python {self.python} {' '.join(requirements)}")

    def activate(self) -> None:
        """Have `python` be the environment's."""
        self.environ["PATH"] = os.pathsep.join((str(self.python.parent), self.environ["PATH"]))

    def asks(self, index: str, **variables: str) -> None:
        """Have the installers ask an index in place of the folder of wheels."""
        for name in ("PIP_NO_INDEX", "PIP_FIND_LINKS", "UV_CONFIG_FILE"):
            del self.environ[name]
        self.environ |= {"PIP_INDEX_URL": index, "UV_DEFAULT_INDEX": index, "UV_NO_CONFIG": "1", **variables}

    def said(self, command: str, **variables: str) -> tuple[int, str]:
        """The exit code of what is typed, and all that is printed."""
        run = subprocess.run(
            ["sh", "-c", command],
            cwd=self.cwd,
            env={**self.environ, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        return run.returncode, run.stdout

    def sh(self, command: str, **variables: str) -> str:
        """What is printed by what is typed, which must succeed."""
        code, said = self.said(command, **variables)
        assert code == 0, f"{command}\n{said}"
        return said

    def findings(self, python: Path | None = None, **variables: str) -> list[Finding]:
        """What is found, in order; notes left out."""
        return [each for each in self.examined(python, **variables) if each.level == "finding"]

    def examined(self, python: Path | None = None, **variables: str) -> tuple[Finding, ...]:
        """What is found and worth knowing, in order."""
        around = Surroundings(self.cwd, self.home, {**self.environ, **variables})
        return examine_environment(python or self.folder, around)

    def cure(self, finding: Finding, then: str = "true") -> str:
        """Type the cure's commands into one shell, literally, and `then` another."""
        assert finding.commands, finding
        return self.sh("\n".join(("set -e", *finding.commands, then)))
