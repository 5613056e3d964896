"""Lay out an environment on this host for the Python of an image: wheels with the locked hashes, nothing else."""

from __future__ import annotations

import base64
import hashlib
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from envguard.backends.container_process import ContainerSpec, Mount, run_in_container
from envguard.backends.engine import Engine
from envguard.backends.inside import PYTHON, site_packages_in_image
from envguard.backends.installing import REPRODUCIBLE, Installer, run_uv
from envguard.backends.resources import Resources
from envguard.errors import NoEnvironment
from envguard.host.interpreters import Interpreter
from envguard.layout import Layout
from envguard.planning import Candidate

SITE_PACKAGES = "site-packages"
GLIBC_OF_UV = (17, 28, *range(31, 41))  # the minors that uv 0.13 has names for

# As uv compiles when it installs: the same bytes at every build, whatever the files' times are. Files that are not
# Python of this version (templates, tests for other versions) are left alone.
COMPILE = """
import compileall, sys
from py_compile import PycInvalidationMode
compileall.compile_dir(sys.argv[1], quiet=2, workers=0, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)
"""


@dataclass(frozen=True, slots=True)
class Compiler:
    """The image whose Python compiles: its engine, its name there, what it may use, and the owner of its container."""

    engine: Engine
    image: str
    resources: Resources
    owner: str


def lay_out(
    folder: Path, candidate: Candidate, installer: Installer, compiler: Compiler, descriptors: tuple[int, ...] = ()
) -> Layout:
    """Install a candidate's lock into `folder`, for the platform of an image's interpreter.

    Bytecode is compiled by that interpreter, in a container without network. Raises NoEnvironment.
    """
    interpreter, lock = candidate.interpreter, candidate.lock
    folder.mkdir(parents=True)
    requirements = folder / "lock.txt"
    requirements.write_text(lock.text(), encoding="utf-8")
    site_packages = folder / SITE_PACKAGES
    run_uv(
        installer,
        [
            # uv needs some Python to run with; which one the wheels are for follows.
            "pip", "install", "--python", sys.executable, "--target", site_packages,
            "--python-platform", uv_platform(interpreter), "--python-version", lock.python,
            "--requirements", requirements, "--require-hashes", "--no-deps", "--only-binary", ":all:",
            "--link-mode", "copy", "--no-compile-bytecode", *installer.sources,
        ],
        lock,
        folder,
        descriptors,
    )  # fmt: skip
    site_packages.mkdir(exist_ok=True)  # a lock may install nothing on this platform
    (site_packages / ".lock").unlink(missing_ok=True)
    _name_python_of_image(site_packages)
    _compile(site_packages, interpreter, compiler)
    return Layout(Path(PYTHON), site_packages, in_image=True)


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


def _name_python_of_image(site_packages: Path) -> None:
    """Make the programs that uv wrote start the image's Python, and update their hashes in RECORD."""
    ours = sys.executable.encode()
    changed: dict[str, bytes] = {}
    for program in (site_packages / "bin").glob("*"):
        content = program.read_bytes()
        head, separator, rest = content.partition(b"\n# -*-")
        if content.startswith(b"#!") and ours in head:
            content = b"#!" + str(PYTHON).encode() + separator + rest
            program.write_bytes(content)
            changed[f"bin/{program.name}"] = content
    for record in site_packages.glob("*.dist-info/RECORD"):
        lines = record.read_text(encoding="utf-8").splitlines()
        listed = [_listed(line, changed) for line in lines]
        if listed != lines:
            record.write_text("".join(f"{line}\n" for line in listed), encoding="utf-8")


def _listed(line: str, changed: dict[str, bytes]) -> str:
    """A line of a RECORD, updated for a changed file (urlsafe base64 of SHA-256 without padding, size)."""
    path = line.partition(",")[0]
    if path not in changed:
        return line
    digest = base64.urlsafe_b64encode(hashlib.sha256(changed[path]).digest()).decode().rstrip("=")
    return f"{path},sha256={digest},{len(changed[path])}"


def _compile(site_packages: Path, interpreter: Interpreter, compiler: Compiler) -> None:
    inside = site_packages_in_image(interpreter)
    # Not isolated: before 3.11, Python orders constants by PYTHONHASHSEED, and the image has no user's configuration.
    command = (str(interpreter.path), "-S", "-B", "-c", COMPILE, str(inside))
    mounts = (Mount(site_packages, inside, writable=True),)
    spec = ContainerSpec(compiler.image, command, mounts, REPRODUCIBLE, PurePosixPath("/"), compiler.owner)
    with tempfile.TemporaryFile() as log:
        code, said = run_in_container(compiler.engine, spec, compiler.resources, log)
        log.seek(0)
        words = (said + log.read(2000)).decode("utf-8", "replace")
    if code != 0:
        raise NoEnvironment(
            f"The Python of the image {interpreter.base} cannot compile the installed packages.",
            why=words,
            next_step="Name another image with --base or ENVGUARD_BASE_IMAGE.",
        )
