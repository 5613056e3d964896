"""Start the bootstrap of a checkout with a Python that there is a lock for, whatever Python this is.

`python3 envguard/host/find_python.py host|develop` goes on with another Python if there is no lock for this one;
with `--only` it names that one and ends. Which Pythons have a lock is read from the names of the locks. Uses only the
standard library, and runs on Python 3.8 and newer, to be able to tell an old machine what it lacks.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

BOOTSTRAP = Path(__file__).resolve().parents[1] / "bootstrap.py"
LOCKS = BOOTSTRAP.parents[1] / "lockfiles" / "envguard"
PATIENCE = 20.0  # seconds for a Python to say what it is

# Where Pythons are kept that are not on PATH: by version managers, by hand, by installers.
STORES = (
    "/usr/local/bin", "/usr/bin", "/opt/homebrew/bin", "/opt/python*/bin", "/opt/python/*/bin",
    "$PYENV_ROOT/versions/*/bin", "~/.pyenv/versions/*/bin", "~/.local/share/uv/python/*/bin",
    "~/.local/share/mise/installs/python/*/bin", "~/.asdf/installs/python/*/bin",
)  # fmt: skip
NAMES = ("python3", "python3.[0-9]", "python3.[0-9][0-9]", "python.exe")

# What a Python says of itself: implementation, version, and a third word if the locks have no wheels for its build.
ASK = (
    "import sys, sysconfig; print(sys.implementation.name, '%d.%d.%d' % sys.version_info[:3], "
    "'free-threaded' if sysconfig.get_config_var('Py_GIL_DISABLED') else '')"
)


def main(arguments: list[str]) -> int:
    """Run the bootstrap for an edition of envguard's own environment; gives back its exit code."""
    edition = "".join(each for each in arguments if each != "--only") or "host"
    said = asked(sys.executable)
    python = sys.executable if lock_for(edition, said) else another(edition)
    if not python:
        return 3
    if python != sys.executable:
        what = f"There is no lock for {' '.join(said)} ({sys.executable})"
        if "--only" in arguments:
            say(f"{what}.", next_step=f"make {edition} PYTHON={shlex.quote(python)}")
            return 3
        print(f"bootstrap: {what}; going on with {python}", file=sys.stderr, flush=True)
    return subprocess.run([python, "-I", str(BOOTSTRAP), edition]).returncode


def lock_for(edition: str, said: list[str]) -> Path | None:
    """The lock for the Python that `said` this of itself; None if there is none."""
    if len(said) != 2 or said[0] != "cpython":
        return None
    lock = LOCKS / edition / f"cp{''.join(said[1].split('.')[:2])}.txt"
    return lock if lock.is_file() else None


def asked(python: str) -> list[str]:
    """What a Python says of itself; nothing if it does not start, such as a version manager's shim."""
    try:
        run = subprocess.run(
            [python, "-I", "-c", ASK], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            timeout=PATIENCE,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return []
    return run.stdout.decode("ascii", "replace").split() if run.returncode == 0 else []


def another(edition: str) -> str:
    """The newest Python here that there is a lock for; empty if there is none, which is said."""
    here = {python: said for python in (sys.executable, *pythons_here()) if (said := asked(python))}
    fitting = [python for python, said in here.items() if lock_for(edition, said)]
    if not fitting:
        minors = sorted((path.stem for path in (LOCKS / edition).glob("cp3*.txt")), key=lambda name: int(name[3:]))
        say(
            f"No Python here has a lock; there are locks for CPython {', '.join(f'3.{name[3:]}' for name in minors)}.",
            why="here is " + ", ".join(f"{' '.join(said)} ({python})" for python, said in here.items()),
            next_step="install one of these and run make again, or name one: make PYTHON=/path/to/python",
        )
    return max(fitting, key=lambda python: [int(part) for part in here[python][1].split(".")], default="")


def pythons_here() -> list[str]:
    """The programs on PATH and in the usual places that are called like a Python, each file once."""
    found: dict[Path, str] = {}
    for place in (*os.environ.get("PATH", "").split(os.pathsep), *STORES):
        whole = Path(os.path.expandvars(place)).expanduser()
        if whole.is_absolute():
            for folder in sorted(Path(whole.anchor).glob(str(whole.relative_to(whole.anchor)))):
                for python in (path for name in NAMES for path in sorted(folder.glob(name))):
                    real = python.resolve()
                    # A shim is one file under many names, and acts on its name.
                    found.setdefault(real if real.name.startswith("python") else python, str(python))
    return list(found.values())


def say(what: str, *, next_step: str, why: str = "") -> None:
    """Say what happened, why, and what to do next, as envguard itself does."""
    reason = f"  why:  {why}\n" if why else ""
    print(f"envguard: {what}\n{reason}  next: {next_step}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
