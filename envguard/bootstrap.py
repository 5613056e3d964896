"""Make `.venv` for a checkout: envguard and its own dependencies, from its own hashed lock.

`python3 envguard/bootstrap.py host|develop`. Uses only the standard library and whatever installer the machine has:
pip in a new virtual environment, the host's pip, or, if Debian's Python lacks both, the wheel of pip in its archive.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
VENV = CHECKOUT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
MARKER = VENV / "envguard-bootstrap.txt"
OLDEST = (3, 10)
LONGEST_FIRST_LINE = 127

# Settings that would let the host's Python configuration leak in. Index and certificate settings stay.
LEAKS = (
    "PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "PYTHONPLATLIBDIR", "VIRTUAL_ENV", "PIP_TARGET", "PIP_PREFIX",
    "PIP_USER", "PIP_REQUIRE_VIRTUALENV", "PIP_CONSTRAINT", "PIP_NO_BINARY",
)  # fmt: skip


def main(edition: str) -> int:
    """Make or update `.venv`, unless it already matches the lock."""
    if sys.version_info < OLDEST:
        return fail(
            f"Python {sys.version.split()[0]} is too old: envguard needs 3.10 or newer.", "make PYTHON=python3.11"
        )
    lock = CHECKOUT / "lockfiles" / "envguard" / edition / f"cp{sys.version_info[0]}{sys.version_info[1]}.txt"
    if not lock.is_file():
        return fail(f"No lock exists for Python {sys.version.split()[0]}.", "make PYTHON=python3.11")
    wanted = f"{sys.version}\n{hashlib.sha256(lock.read_bytes()).hexdigest()} {edition}\n"
    # The develop edition contains everything in the host edition, at the same pins.
    if has_marker(wanted) or (edition == "host" and "develop" in read_marker() and PYTHON.exists()):
        return 0
    print(f"bootstrap: {VENV.name} from {lock.relative_to(CHECKOUT)}", file=sys.stderr)
    shutil.rmtree(VENV, ignore_errors=True)
    run([sys.executable, "-I", "-m", "venv", "--without-pip", str(VENV)])
    with tempfile.TemporaryDirectory() as scratch:
        pip = find_pip(Path(scratch))
        if pip is None:
            return fail("This Python has neither pip nor ensurepip.", "apt install python3-venv")
        run(
            [*pip, "install", "-qq", "--disable-pip-version-check", "--no-deps", "--require-hashes",
             "--only-binary", ":all:", "--requirement", str(lock)]
        )  # fmt: skip
    # ensurepip installed them; a .pth file of setuptools would import it at every start.
    succeeds([str(PYTHON), "-I", "-m", "pip", "uninstall", "-qq", "-y", "setuptools", "pip"])
    add_envguard()
    MARKER.write_text(wanted, encoding="utf-8")
    return 0


def has_marker(wanted: str) -> bool:
    """Whether `.venv` was finished for exactly this lock and Python, and its Python still starts."""
    return read_marker() == wanted and PYTHON.exists() and subprocess.run([PYTHON, "-I", "-c", ""]).returncode == 0


def read_marker() -> str:
    """What the last finished bootstrap was for."""
    return MARKER.read_text(encoding="utf-8") if MARKER.is_file() else ""


def find_pip(scratch: Path) -> list[str] | None:
    """A pip command that installs into `.venv`: its own from ensurepip, the host's, or Debian's wheel."""
    into = ["--python", str(PYTHON)]
    if succeeds([str(PYTHON), "-I", "-m", "ensurepip", "--default-pip"]):
        return [str(PYTHON), "-I", "-m", "pip"]
    if succeeds([sys.executable, "-I", "-m", "pip", *into, "--version"]):
        return [sys.executable, "-I", "-m", "pip", *into]
    if shutil.which("apt-get") and shutil.which("dpkg-deb"):
        succeeds(["apt-get", "download", "python3-pip-whl"], folder=scratch)
        for package in scratch.glob("python3-pip-whl*.deb"):
            run(["dpkg-deb", "--extract", str(package), str(scratch)])
        for wheel in scratch.glob("usr/share/python-wheels/pip-*.whl"):
            return [str(PYTHON), "-I", str(wheel / "pip")]
    return None


def add_envguard() -> None:
    """Put the checkout on `.venv`'s path, and a command beside its Python that starts envguard isolated.

    `-I` keeps out PYTHONPATH, PYTHONHOME and the user's site folder; a generated console script does not.
    """
    answer = subprocess.run(
        [PYTHON, "-I", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        env=clean_environment(), check=True, capture_output=True, text=True,
    )  # fmt: skip
    Path(answer.stdout.strip(), "envguard.pth").write_text(f"{CHECKOUT}\n", encoding="utf-8")
    if os.name == "nt":
        (BIN / "envguard.cmd").write_text(f'@"{PYTHON}" -I -m envguard %*\n', encoding="utf-8")
        return
    command = BIN / "envguard"
    command.write_text(launcher(), encoding="utf-8")
    command.chmod(0o755)


def launcher() -> str:
    """The command, as a script: where it can be, with Ctrl-C held back until envguard is there to answer it.

    Python shows a traceback if it is interrupted while it starts. Only the `env` of GNU can hold a signal back, and the
    kernel takes a first line of 127 bytes and reads no quotes in it.
    """
    first = f"#!/usr/bin/env -S --block-signal=INT {PYTHON} -I -S"
    plain = all(char.isalnum() or char in "/._-+" for char in str(PYTHON))
    if plain and len(first) <= LONGEST_FIRST_LINE and succeeds(["/usr/bin/env", "--block-signal=INT", "true"]):
        return (
            f"{first}\nimport sys\n\nsys.path.append({str(CHECKOUT)!r})\n"
            "from envguard.__main__ import main\n\n"
            "if __name__ == '__main__':  # processes for several models read this file again\n    sys.exit(main())\n"
        )
    main_file = CHECKOUT / "envguard" / "__main__.py"
    return f'#!/bin/sh\nexec {shlex.quote(str(PYTHON))} -I -S {shlex.quote(str(main_file))} "$@"\n'


def clean_environment() -> dict[str, str]:
    """This process's variables, without those that redirect Python or pip."""
    return {name: value for name, value in os.environ.items() if name not in LEAKS}


def run(command: list[str]) -> None:
    """Run a command; exit if it fails."""
    if subprocess.run(command, env=clean_environment(), stdin=subprocess.DEVNULL).returncode != 0:
        sys.exit(fail(f"`{' '.join(command[:6])} …` failed.", "fix what the lines above report, then run make again"))


def succeeds(command: list[str], folder: Path | None = None) -> bool:
    """Whether a command succeeds; its output is discarded."""
    quiet = subprocess.DEVNULL
    return (
        subprocess.run(command, env=clean_environment(), cwd=folder, stdin=quiet, stdout=quiet, stderr=quiet).returncode
        == 0
    )


def fail(what: str, next_step: str) -> int:
    """Say what happened and what to do next, as envguard itself does."""
    print(f"envguard: {what}\n  next: {next_step}", file=sys.stderr)
    return 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "host"))
