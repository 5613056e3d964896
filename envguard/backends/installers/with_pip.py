"""Installing with virtualenv and the pip that it brings: where uv does not start, and for Pythons that uv refuses."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name, parse_wheel_filename

from envguard.backends.installers.pip_settings import pip_variables
from envguard.backends.installers.pip_words import PipWords
from envguard.backends.installers.running import compile_bytecode, run_tool
from envguard.backends.installers.settings import Installer, Job
from envguard.errors import NoEnvironment
from envguard.files import file_facts
from envguard.host.interpreters import Interpreter
from envguard.host.platform import supported_tags
from envguard.locks.lockfile import Lock

FIND_WHEEL = """
import sys
from virtualenv.seed.wheels.embed import get_embed_wheel
print(get_embed_wheel(*sys.argv[1:]).path)
"""

# Before Python 3.10, pip needs distutils, which distributions package separately; setuptools has a copy.
NEEDS_DISTUTILS = ("3.9",)
WITH_DISTUTILS = """
import runpy, sys
pip, setuptools = sys.argv[1:3]
sys.argv[:3] = ["pip"]
sys.path.insert(0, pip)
try:
    import distutils
except ImportError:
    sys.path.insert(0, setuptools)
    import setuptools
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""


class PipTool:
    """See `Tool`.

    pip runs from its wheel, so it is never part of an environment. It has no use for its own cache without a network:
    wheels are kept in a folder of ours, and installed from there.
    """

    def create(self, venv: Path, interpreter: Path, job: Job) -> None:
        """With links to the interpreter, as uv makes it."""
        with _work(job) as work:
            work.run(
                sys.executable, "-I", "-m", "virtualenv", venv, "--python", interpreter, "--no-seed",
                "--no-periodic-update", "--symlinks", "--app-data", work.scratch / "app-data", "--quiet",
            )  # fmt: skip

    def install(self, python: Path, job: Job) -> None:
        """First every wheel is fetched, then all are installed."""
        with _work(job) as work:
            work.install([python, *work.pip_for(job.lock.python)], [])
        if job.compiles:
            for site_packages in python.parent.parent.glob("[lL]ib/**/site-packages"):
                compile_bytecode(python, site_packages, job)

    def lay_out(self, target: Path, interpreter: Interpreter, job: Job) -> None:
        """For the tags of that interpreter; envguard's own runs pip."""
        tags = [each for each in supported_tags(interpreter) if each.platform != "any"]
        chosen: list[str | Path] = ["--python-version", job.lock.python, "--implementation", "cp"]
        for abi in dict.fromkeys(each.abi for each in tags):
            chosen += ["--abi", abi]
        for platform in dict.fromkeys(each.platform for each in tags):
            chosen += ["--platform", platform]
        with _work(job) as work:
            ours = ".".join(map(str, sys.version_info[:2]))
            work.install([sys.executable, *work.pip_for(ours)], chosen, "--target", target)

    def forget(self, names: Sequence[str], installer: Installer) -> None:
        """A build that installs from it at the same time fetches again."""
        wanted = {canonicalize_name(name) for name in names}
        try:
            if not names:
                shutil.rmtree(installer.cache)
            for wheel in _kept(installer).glob("*.whl"):
                if parse_wheel_filename(wheel.name)[0] in wanted:
                    wheel.unlink(missing_ok=True)
        except FileNotFoundError:
            return
        except OSError as error:
            raise NoEnvironment(
                f"The cache {installer.cache} cannot be cleared.",
                why=str(error),
                next_step="Check its permissions and the disk, then run the same command again.",
            ) from error


@dataclass(frozen=True, slots=True)
class _Work:
    """A job, and a folder for what it needs only now: in the cache, where it is seen whether downloads stall."""

    job: Job
    scratch: Path

    def run(self, *command: str | Path, hear: Callable[[str], None] = lambda line: None) -> None:
        """Run a command with pip's settings; raises NoEnvironment."""
        variables = {**pip_variables(self.job.installer.variables), "PYTHONNOUSERSITE": "1"}
        variables |= dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(self.scratch))
        run_tool(command, self.job, variables, hear)

    def pip_for(self, minor: str) -> list[str | Path]:
        """What makes a Python of that minor run pip."""
        pip = self._wheel("pip", minor)
        if minor not in NEEDS_DISTUTILS:
            return ["-I", "-B", pip / "pip"]
        setuptools = self.scratch / "setuptools"
        with zipfile.ZipFile(self._wheel("setuptools", minor)) as wheel:
            wheel.extractall(setuptools)
        return ["-I", "-B", "-W", "ignore", "-c", WITH_DISTUTILS, pip, setuptools]

    def _wheel(self, name: str, minor: str) -> Path:
        """The wheel that virtualenv brings for a minor."""
        said: list[str] = []
        self.run(sys.executable, "-I", "-c", FIND_WHEEL, name, minor, hear=said.append)
        return Path(said[-1].strip())

    def install(self, pip: Sequence[str | Path], chosen: Sequence[str | Path], *into: str | Path) -> None:
        """Fetch the wheels that pip chooses, unless only what is here may be used, and install them."""
        installer, lock = self.job.installer, self.job.lock
        kept = _kept(installer)
        drop_damaged(kept, lock)
        common: list[str | Path] = [
            "--requirement", self.job.requirements, "--require-hashes", "--no-deps", "--only-binary", ":all:",
            # uv, which resolved the lock, ignores upper bounds of Requires-Python, which are mostly guesses.
            "--ignore-requires-python", "--disable-pip-version-check", "--no-input", "--progress-bar", "off",
            "--no-color", "--no-cache-dir", *chosen,
        ]  # fmt: skip
        if not installer.find_links and not installer.offline:
            fetched = self.scratch / "wheels"
            fetching = PipWords(installer.tell, "fetching", len(lock.packages))
            self.run(*pip, "download", "--dest", fetched, "--find-links", kept, *common, hear=fetching.hear)
            for wheel in fetched.glob("*.whl"):
                wheel.replace(kept / wheel.name)
        sources = installer.wheelhouses or ["--no-index", "--find-links", kept]
        reading = PipWords(installer.tell, "reading", len(lock.packages))
        self.run(*pip, "install", "--no-compile", *into, *sources, *common, hear=reading.hear)


def drop_damaged(kept: Path, lock: Lock) -> None:
    """Remove the kept wheels of a lock that are not what it says, so that they are fetched again; disks do err."""
    kept.mkdir(parents=True, exist_ok=True)
    for package in lock.packages:
        for wheel in package.wheels:
            path = kept / wheel.filename
            if path.exists() and file_facts(path).sha256 != wheel.sha256:
                path.unlink(missing_ok=True)


def _kept(installer: Installer) -> Path:
    return installer.cache / "wheels"


@contextlib.contextmanager
def _work(job: Job) -> Iterator[_Work]:
    job.installer.cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="pip-", dir=job.installer.cache) as name:
        yield _Work(job, Path(name))
