"""Build a wheel in an environment of its own, without a network and with one folder to write to.

The same sdist and the same tools give the same pure-Python wheel, wherever it is built: time, order and rights of files
are settled. So is the name of the folder, and then the same compiler gives the same native code too.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.parser import HeaderParser
from functools import cache
from pathlib import Path
from typing import Literal

from envguard.backends.building.complaints import failed, failed_saying
from envguard.backends.building.hooks import ANSWER
from envguard.backends.building.sandbox import NOT_HERE, PLACE, seen_as
from envguard.backends.building.source import BuildSystem
from envguard.host.variables import step_variables
from envguard.locks.sdists.built import is_wheel_of

HERE = Path(__file__).parent
HOOKS, SANDBOX = HERE / "hooks.py", HERE / "sandbox.py"
NOWHERE = "http://127.0.0.1:9"  # the port of discard, where nothing listens
EPOCH = "315532800"  # 1980, before which no file in a wheel can be
BUILD_SECONDS = 3600.0
UMASK = 0o022


@dataclass(frozen=True, slots=True)
class Yard:
    """A project's source, the Python of the environment that builds it, and a folder that holds both and the wheel.

    `environ` are the host's variables, of which a build sees the harmless ones.
    """

    folder: Path
    project: Path
    python: Path
    environ: Mapping[str, str]

    def also_requires(self, name: str, system: BuildSystem) -> tuple[str, ...]:
        """What the backend says that it requires besides (PEP 508); raises NoEnvironment."""
        return self._asked(name, system, "requires") or ()

    def editable_requires(self, name: str, system: BuildSystem) -> tuple[str, ...] | None:
        """The same for an editable wheel (PEP 660), of which some backends make none: then it is None."""
        return self._asked(name, system, "requires-editable")

    def _asked(self, name: str, system: BuildSystem, what: str) -> tuple[str, ...] | None:
        self._run(name, system, what)
        try:
            found = json.loads((self.folder / ANSWER).read_bytes())
        except (OSError, ValueError):
            found = 0
        if found is not None and (not isinstance(found, list) or not all(isinstance(each, str) for each in found)):
            raise failed(name, "its build backend does not say what it requires")
        return None if found is None else tuple(found)

    def build(self, name: str, version: str, system: BuildSystem) -> Path:
        """The wheel of that release; raises NoEnvironment with the words of what builds it."""
        wheel = self.made(name, system)
        if not is_wheel_of(wheel.name, name, version):
            raise failed(name, f"a wheel of {name} {version} was to be made, not {wheel.name}")
        return wheel

    def made(self, name: str, system: BuildSystem, what: Literal["wheel", "editable"] = "wheel") -> Path:
        """The one wheel that the build makes, whatever it is of; raises NoEnvironment as `build`."""
        self._run(name, system, what)
        wheels = list(self.folder.glob("*.whl"))
        if len(wheels) != 1 or wheels[0].is_symlink():
            found = ", ".join(each.name for each in wheels) or "none"
            raise failed(name, f"one wheel was to be made, not {found}")
        return wheels[0]

    @property
    def project_as_seen(self) -> str:
        """What a build calls the folder of the project."""
        return self._seen(self.project)

    def _run(self, name: str, system: BuildSystem, what: str) -> None:
        temporary = self.folder / "tmp"
        temporary.mkdir(exist_ok=True)
        variables = {
            **step_variables(self.environ),
            **dict.fromkeys(("TMPDIR", "TEMP", "TMP", "HOME"), self._seen(temporary)),
            "PATH": os.pathsep.join([self._seen(self.python.parent), self.environ.get("PATH", os.defpath)]),
            **{"SOURCE_DATE_EPOCH": EPOCH, "PYTHONHASHSEED": "0", "PYTHONNOUSERSITE": "1"},
            **{"PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8", "TZ": "UTC"},
        }
        command = [
            self._seen(self.python), "-s", str(HOOKS), what, system.backend, json.dumps(system.paths),
            self._seen(self.folder),
        ]  # fmt: skip
        if why_not_shut_in():
            variables |= dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), NOWHERE)
            variables |= _one_name(self.folder)
        else:
            shut_in = [sys.executable, "-I", "-S", str(SANDBOX), str(self.folder), self._seen(self.project)]
            command = [*shut_in, *command]
        try:
            run = subprocess.run(
                command,
                env=variables,
                cwd=self.project,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                timeout=BUILD_SECONDS,
                umask=UMASK,
            )
        except subprocess.TimeoutExpired as error:
            raise failed(name, f"it was not done after {BUILD_SECONDS:g} seconds") from error
        if run.returncode != 0:
            raise failed_saying(name, run.stdout, self.python)

    def _seen(self, path: Path) -> str:
        """What the build calls a file of its folder."""
        if why_not_shut_in():
            return str(path)
        return str(Path(seen_as(str(self.folder)), path.relative_to(self.folder)))


def requires_of(wheel: Path) -> tuple[str, ...]:
    """What a wheel requires (PEP 508), as its metadata has it; raises NoEnvironment for a file that is no wheel."""
    try:
        with zipfile.ZipFile(wheel) as packed:
            (name,) = (each for each in packed.namelist() if each.endswith(".dist-info/METADATA"))
            metadata = HeaderParser().parsestr(packed.read(name).decode("utf-8"))
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise failed(wheel.name, f"what was built is no wheel: {error}") from error
    return tuple(metadata.get_all("Requires-Dist", ()))


@cache
def why_not_shut_in() -> str:
    """Why a build cannot be kept from the network and from other folders here; empty if it can be."""
    if not sys.platform.startswith("linux"):
        return "only Linux has namespaces"
    command: Sequence[str | Path] = [
        sys.executable,
        "-I",
        "-S",
        SANDBOX,
        HERE,
        "/",
        sys.executable,
        "-I",
        "-S",
        "-c",
        "",
    ]
    run = subprocess.run(command, env={}, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8")
    if run.returncode == NOT_HERE:
        return f"the system does not allow namespaces ({run.stderr.strip()})"
    return "" if run.returncode == 0 else f"a command cannot be started in namespaces ({run.stderr.strip()})"


def _one_name(folder: Path) -> dict[str, str]:
    """What has gcc and clang call a folder as all builds do, where it cannot be there under that name.

    CFLAGS would take the place of what the Python was compiled with, such as -O3; CPPFLAGS is added to that.
    """
    return {} if os.name == "nt" else {"CPPFLAGS": shlex.join([f"-ffile-prefix-map={folder}={PLACE}"])}
