"""Installing with uv: environments in milliseconds, downloads and bytecode in parallel."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from envguard.backends.installers.running import last_words, run_tool
from envguard.backends.installers.settings import Installer, Job
from envguard.backends.uv_words import UvWords
from envguard.errors import NoEnvironment
from envguard.host.interpreters import Interpreter

GLIBC_OF_UV = (17, 28, *range(31, 41))  # the minors that uv 0.13 has names for


@dataclass(frozen=True, slots=True)
class UvTool:
    """See `Tool`."""

    binary: Path

    def create(self, venv: Path, interpreter: Path, job: Job) -> None:
        """With links to the interpreter."""
        self._run(job, "venv", venv, "--python", interpreter, "--no-project", "--link-mode", "copy")

    def install(self, python: Path, job: Job) -> None:
        """Copied, never hard-linked, so that damage to one environment does not spread."""
        self._run(
            job,
            *self._installing(job),
            "--python",
            python,
            "--compile-bytecode" if job.compiles else "--no-compile-bytecode",
        )

    def lay_out(self, target: Path, interpreter: Interpreter, job: Job) -> None:
        """Copied too, without bytecode: that Python is not here."""
        self._run(
            job, *self._installing(job),
            # uv needs some Python to run with; which one the wheels are for follows.
            "--python", sys.executable, "--target", target, "--python-platform", uv_platform(interpreter),
            "--python-version", job.lock.python, "--no-compile-bytecode",
        )  # fmt: skip

    def forget(self, names: Sequence[str], installer: Installer) -> None:
        """uv waits until nobody is installing from its cache."""
        command: list[str | Path] = [
            self.binary, "cache", "clean", *names, "--no-config", "--cache-dir", installer.cache, "--color", "never",
            "--quiet",
        ]  # fmt: skip
        run = subprocess.run(
            command,
            env=dict(installer.variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
        )
        if run.returncode != 0:
            raise NoEnvironment(
                f"uv's cache {installer.cache} cannot be cleared.",
                why=last_words(run.stderr, installer.variables),
                next_step="Check its permissions and the disk, then run the same command again.",
            )

    def _installing(self, job: Job) -> list[str | Path]:
        return [
            "pip", "install", "--requirements", job.requirements, "--require-hashes", "--no-deps",
            "--only-binary", ":all:", "--link-mode", "copy", *job.installer.wheelhouses,
            *(["--offline"] if job.installer.offline else []),
        ]  # fmt: skip

    def _run(self, job: Job, *arguments: str | Path) -> None:
        installer = job.installer
        command = [
            self.binary, *arguments, "--no-config", "--no-python-downloads", "--cache-dir", installer.cache,
            "--color", "never", "--no-progress",
        ]  # fmt: skip
        run_tool(command, job, installer.variables, UvWords(installer.tell).hear)


def uv_platform(interpreter: Interpreter) -> str:
    """The newest platform that uv can name and the image's C library supports."""
    name, version = interpreter.facts.libc or ("", "")
    machine = interpreter.architecture
    if name == "musl":
        return f"{machine}-unknown-linux-musl"
    minor = int(version.split(".")[1]) if version.startswith("2.") else 0
    known = [each for each in GLIBC_OF_UV if each <= minor]
    if not known:
        raise NoEnvironment(
            f"No wheels support the C library of the image {interpreter.base}.",
            why=f"it is {interpreter.facts.libc_text or 'unknown'}; wheels need glibc 2.17 or newer",
            next_step="Name a newer image with --base or ENVGUARD_BASE_IMAGE.",
        )
    return f"{machine}-manylinux_2_{known[-1]}"
