"""The paths inside an image of an environment, and inside the containers that run it."""

from __future__ import annotations

from pathlib import PurePosixPath

from envguard.host.interpreters import Interpreter

# As engines and clusters name what `platform.machine` calls otherwise.
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}
CONTAINER = "container"  # the name of the backend
ENVIRONMENT = PurePosixPath("/opt/envguard")
PYTHON = ENVIRONMENT / "bin" / "python"
PAYLOAD_INSIDE = PurePosixPath("/envguard/payload")
WORK_INSIDE = PurePosixPath("/envguard/work")
GIVEN_INSIDE = PurePosixPath("/envguard/in")
SAMPLES_INSIDE = PurePosixPath("/envguard/samples")


def site_packages_in_image(interpreter: Interpreter) -> PurePosixPath:
    """The site-packages folder of an image that is built on the interpreter's."""
    major, minor = interpreter.version[:2]
    return ENVIRONMENT / "lib" / f"python{major}.{minor}" / "site-packages"


def architecture_of(interpreter: Interpreter) -> str:
    """The processor that an image of the interpreter is for, as engines and clusters name it: `amd64`, `arm64`."""
    return _ARCHITECTURES.get(interpreter.architecture, interpreter.architecture)
