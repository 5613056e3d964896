"""A release tried as its user does: built, installed into an empty environment, used from a strange folder.

`make wheel-test`; the suite does the same, but resolves one environment's locks again instead of all.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envguard.host.variables import installer_variables
from envguard.locks.uv import find_uv

CHECKOUT = Path(__file__).resolve().parents[2]
DEVELOP = CHECKOUT / "lockfiles" / "envguard" / "develop" / f"cp{sys.version_info[0]}{sys.version_info[1]}.txt"
ONE_ENVIRONMENT = "samples"


@dataclass(frozen=True)
class Installed:
    """An installed envguard: its command, and the variables and the folder that it is started with."""

    command: Path
    environ: Mapping[str, str]
    folder: Path

    def says(self, *arguments: str) -> str:
        """What a command prints; raises CalledProcessError, with its words, unless its exit code is 0."""
        ended = subprocess.run(
            [self.command, *arguments],
            env=self.environ,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        assert ended.returncode == 0, f"{arguments} ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}"
        return ended.stdout

    def document(self, *arguments: str) -> Any:
        """The one JSON document that a command prints."""
        return json.loads(self.says(*arguments, "--json"))


def build(target: Path, cache: Path) -> Path:
    """The wheel that `uv build` makes of this checkout, through the source distribution, with locked build tools."""
    _uv("build", "--out-dir", target, "--build-constraints", DEVELOP, "--require-hashes", CHECKOUT, cache=cache)
    assert len(list(target.glob("envguard-*.tar.gz"))) == 1
    (wheel,) = target.glob("envguard-*.whl")
    return wheel


def install(wheel: Path, scratch: Path, cache: Path) -> Installed:
    """The wheel, installed by `uv tool install` into a folder of its own, for a user with an empty home."""
    home, folder, tools = scratch / "home", scratch / "elsewhere", scratch / "tools"
    for each in (home, folder):
        each.mkdir()
    own = {"HOME": str(home), "UV_TOOL_DIR": str(tools), "UV_TOOL_BIN_DIR": str(scratch / "bin")}
    _uv("tool", "install", wheel, cache=cache, environ=own)
    environ = {**os.environ, **own, "ENVGUARD_HOME": str(home / "store"), "PATH": f"{scratch / 'bin'}:{os.defpath}"}
    return Installed(scratch / "bin" / "envguard", environ, folder)


def _uv(*arguments: str | Path, cache: Path, environ: Mapping[str, str] | None = None) -> None:
    command = [find_uv(), *arguments, "--quiet", "--no-config", "--python", sys.executable, "--cache-dir", cache]
    variables = {**installer_variables(os.environ), **(environ or {})}
    ended = subprocess.run(command, env=variables, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert ended.returncode == 0, f"uv {arguments[0]}: {ended.stderr}"


def try_out(installed: Installed, tell: Callable[[str], None], *, all_locks: bool = False) -> None:
    """Use it as on the first day; raises AssertionError for what does not work. Resolves one environment, or all."""
    version = installed.document("--version")
    assert installed.says("--version").strip() == version["version"]
    shipped = sorted((CHECKOUT / "lockfiles").glob("*/*/cp*.txt"))
    assert list(version["locks"].values()) == [hashlib.sha256(path.read_bytes()).hexdigest() for path in shipped]
    tell(f"version {version['version']} on Python {version['python']}, {len(version['locks'])} locks")
    usable = [each for each in installed.document("probe")["interpreters"] if each["usable"]]
    assert usable
    tell(f"probe: {len(usable)} Pythons can be used")
    environments = {each["name"]: each for each in installed.document("list")["environments"]}
    assert not any(each["ready"] for each in environments.values())
    tell(f"list: {len(environments)} environments")
    plan = installed.says("run", "quantize", "sample:face_landmarker", "--explain")
    assert "environment quantize: edition" in plan
    tell(plan.splitlines()[0])
    checked = installed.document("lock", *([] if all_locks else [ONE_ENVIRONMENT]), "--check")["locks"]
    assert checked
    tell(f"lock --check: {len(checked)} locks still hold")
    assert not list(installed.folder.iterdir())


def main() -> None:
    """Build, install, try out, in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        wheel = build(folder / "dist", folder / "cache")
        print(f"{wheel.name}: {wheel.stat().st_size:,} bytes")
        try_out(install(wheel, folder, folder / "cache"), print, all_locks="--all-locks" in sys.argv[1:])


if __name__ == "__main__":
    main()
