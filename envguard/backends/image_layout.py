"""Lay out an environment on this host for the Python of an image: wheels with the locked hashes, nothing else."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from envguard.backends.container_process import ContainerSpec, Mount, run_in_container
from envguard.backends.engine import Engine
from envguard.backends.inside import PYTHON, site_packages_in_image
from envguard.backends.installers.compiling import COMPILE, REPRODUCIBLE
from envguard.backends.installers.settings import Installer
from envguard.backends.installing import install_for_image
from envguard.backends.resources import Resources
from envguard.errors import NoEnvironment
from envguard.host.interpreters import Interpreter
from envguard.layout import Layout
from envguard.planning import Candidate

SITE_PACKAGES = "site-packages"


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
    layout = Layout(Path(PYTHON), folder / SITE_PACKAGES, in_image=True)
    install_for_image(folder, candidate.interpreter, candidate.lock, installer, layout, descriptors)
    _compile(layout.site_packages, candidate.interpreter, compiler)
    return layout


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
