"""Make `.venv` for a checkout: envguard and its own dependencies, from its own hashed lock.

`python3 envguard/bootstrap.py host|develop`; `host/find_python.py` starts it with a Python that has a lock. Uses only
the standard library and whatever installer the machine has: pip in a new virtual environment, the host's pip, or, if
Debian's Python lacks both, the wheel of pip in its archive.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

CHECKOUT = Path(__file__).resolve().parents[1]
VENV = CHECKOUT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
MARKER = VENV / "envguard-bootstrap.txt"
LONGEST_FIRST_LINE = 127
SECONDS_BETWEEN_LINES = 10.0  # of a log, where nothing can be rewritten
ERASE = "\x1b[K"  # the rest of a terminal's line

# Settings that would let the host's Python configuration leak in. Index and certificate settings stay.
LEAKS = (
    "PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "PYTHONPLATLIBDIR", "VIRTUAL_ENV", "PIP_TARGET", "PIP_PREFIX",
    "PIP_USER", "PIP_REQUIRE_VIRTUALENV", "PIP_CONSTRAINT", "PIP_NO_BINARY",
)  # fmt: skip


def main(edition: str) -> int:
    """Make or update `.venv`, unless it already matches the lock."""
    lock = CHECKOUT / "lockfiles" / "envguard" / edition / f"cp{sys.version_info[0]}{sys.version_info[1]}.txt"
    if not lock.is_file():
        return fail(f"There is no lock for Python {sys.version.split()[0]}.", f"make {edition}")
    wanted = f"{sys.version}\n{hashlib.sha256(lock.read_bytes()).hexdigest()} {edition}\n"
    # The develop edition contains everything in the host edition, at the same pins.
    if has_marker(wanted) or (edition == "host" and "develop" in read_marker() and PYTHON.exists()):
        return 0
    print(f"bootstrap: {VENV.name} from {lock.relative_to(CHECKOUT)}", file=sys.stderr, flush=True)
    with shown_progress() as progress:
        made = make_venv(lock, progress)
        if made == 0:
            MARKER.write_text(wanted, encoding="utf-8")
    return made


def make_venv(lock: Path, progress: Progress) -> int:
    """Make `.venv` anew with everything in the lock; gives back an exit code."""
    progress.tell("removing what was there")
    shutil.rmtree(VENV, ignore_errors=True)
    progress.tell("making a virtual environment")
    run([sys.executable, "-I", "-m", "venv", "--without-pip", str(VENV)], progress)
    with tempfile.TemporaryDirectory() as scratch:
        progress.tell("preparing pip")
        pip = find_pip(Path(scratch), progress)
        if pip is None:
            progress.stop()
            return fail("This Python has neither pip nor ensurepip.", "apt install python3-venv")
        packages = Packages(len(re.findall(r"^[\w.-]+==", lock.read_text(encoding="utf-8"), re.MULTILINE)))
        run(
            [*pip, "install", "--disable-pip-version-check", "--no-deps", "--require-hashes",
             "--only-binary", ":all:", "--requirement", str(lock)],
            progress, packages,
        )  # fmt: skip
    progress.tell("removing pip")
    # ensurepip installed them; a .pth file of setuptools would import it at every start.
    succeeds([str(PYTHON), "-I", "-m", "pip", "uninstall", "-qq", "-y", "setuptools", "pip"])
    add_envguard()
    progress.stop()
    print(f"bootstrap: {packages.all} packages in {progress.seconds:.0f} s", file=sys.stderr)
    return 0


class Progress:
    """What goes on and for how long: on a terminal as one line that is rewritten, in a log as a line now and then."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._moves = stream.isatty() and os.environ.get("TERM") != "dumb"
        self._began = self._told = time.monotonic()
        self._what = ""
        self._lock = threading.Lock()

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self._began

    def tell(self, what: str) -> None:
        """From now on, this is done."""
        self._what = what
        self.show()

    def show(self) -> None:
        """Show how it stands; called about once a second. A log gets a line only every ten seconds."""
        with self._lock:
            text = f"bootstrap: {self.seconds:.0f} s, {self._what}"
            if self._what and self._moves:
                self._write("\r" + text[: shutil.get_terminal_size().columns - 1] + ERASE)
            elif self._what and time.monotonic() - self._told >= SECONDS_BETWEEN_LINES:
                self._told = time.monotonic()
                self._write(text + "\n")

    def stop(self) -> None:
        """Show no more, and leave the terminal's line to whoever writes next."""
        with self._lock:
            self._what = ""
            if self._moves:
                self._write(f"\r{ERASE}")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


@contextlib.contextmanager
def shown_progress() -> Iterator[Progress]:
    """Progress on standard error that counts the seconds by itself."""
    progress, over = Progress(sys.stderr), threading.Event()

    def count() -> None:
        while not over.wait(1.0):
            progress.show()

    counter = threading.Thread(target=count, daemon=True)
    counter.start()
    try:
        yield progress
    finally:
        over.set()
        counter.join()
        progress.stop()


class Packages:
    """What pip's lines say of how far it is with so many packages."""

    def __init__(self, number: int) -> None:
        self.all = number
        self._named = self._had = 0

    def __call__(self, line: str) -> str:
        """What pip does, by a line that it printed; empty if that says nothing of it."""
        named = re.match(r"(Collecting|Processing) (\S+)", line)
        if named:
            self._named += 1
            self._had += named[1] == "Processing"  # a file that lies here already
            return f"looking up {_of_wheel(named[2])}, package {self._named} of {self.all}"
        had = re.match(r"\s*(Downloading|Using cached) (\S+\.whl)(?: \((.*)\))?$", line)
        if had:
            self._had += 1
            doing = "downloading" if had[1] == "Downloading" else "taking from pip's cache"
            size = f" ({had[3]})" if had[3] else ""
            return f"{doing} {_of_wheel(had[2])}{size}, package {self._had} of {self.all}"
        return f"installing {self.all} packages" if line.startswith("Installing collected packages") else ""


def _of_wheel(name: str) -> str:
    """The package and its version in the name or address of a wheel; anything else is left as it is."""
    return "-".join(name.split("/")[-1].split("-")[:2]) if name.endswith(".whl") else name


def has_marker(wanted: str) -> bool:
    """Whether `.venv` was finished for exactly this lock and Python, and its Python still starts."""
    return read_marker() == wanted and PYTHON.exists() and subprocess.run([PYTHON, "-I", "-c", ""]).returncode == 0


def read_marker() -> str:
    """What the last finished bootstrap was for."""
    return MARKER.read_text(encoding="utf-8") if MARKER.is_file() else ""


def find_pip(scratch: Path, progress: Progress) -> list[str] | None:
    """A pip command that installs into `.venv`: its own from ensurepip, the host's, or Debian's wheel."""
    into = ["--python", str(PYTHON)]
    if succeeds([str(PYTHON), "-I", "-m", "ensurepip", "--default-pip"]):
        return [str(PYTHON), "-I", "-m", "pip"]
    if succeeds([sys.executable, "-I", "-m", "pip", *into, "--version"]):
        return [sys.executable, "-I", "-m", "pip", *into]
    if shutil.which("apt-get") and shutil.which("dpkg-deb"):
        succeeds(["apt-get", "download", "python3-pip-whl"], folder=scratch)
        for package in scratch.glob("python3-pip-whl*.deb"):
            run(["dpkg-deb", "--extract", str(package), str(scratch)], progress)
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


def run(command: list[str], progress: Progress, read: Callable[[str], str] = lambda _: "") -> None:
    """Run a command; exit if it fails. `read` makes what is shown of a line; complaints are shown if it fails."""
    process = subprocess.Popen(
        command, env=clean_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, encoding="utf-8", errors="replace",
    )  # fmt: skip
    complaints: list[str] = []

    def complain(line: str) -> None:
        complaints.append(line)
        if line.startswith("WARNING: Retrying"):
            progress.tell("the package index did not answer, trying again")

    listener = threading.Thread(target=each_line, args=(process.stderr, complain))
    listener.start()
    each_line(process.stdout, lambda line: progress.tell(told) if (told := read(line)) else None)
    listener.join()
    if process.wait() != 0:
        progress.stop()
        print(*complaints, sep="\n", file=sys.stderr)
        sys.exit(fail(f"`{' '.join(command[:6])} …` failed.", "fix what the lines above report, then run make again"))


def each_line(stream: IO[str] | None, do: Callable[[str], object]) -> None:
    """Do it with every line of a stream as it comes, to its end."""
    assert stream is not None
    for line in stream:
        do(line.rstrip())


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
