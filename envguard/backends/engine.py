"""Find this host's container engine, and turn its failures into errors that a user can act on.

Docker's SDK is imported when it is first used: that takes longer than most commands take to run, and
`envguard image build --help` needs none of it.
"""

from __future__ import annotations

import contextlib
import errno
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envguard.errors import NoEnvironment

OLDEST_API = (1, 41)  # Docker 20.10 of December 2020, Podman 4
TIMEOUT_SECONDS = 300  # between two bytes: an engine that unpacks a large layer stays silent for a while
DOCKER_SOCKET = "npipe:////./pipe/docker_engine" if sys.platform == "win32" else "unix:///var/run/docker.sock"
NO_SPACE = re.compile(r"no space left on device|disk quota exceeded", re.IGNORECASE)
UNSEEN = re.compile(r"bind source path does not exist|invalid mount config.*bind|no such file or directory.*mount")


@dataclass(frozen=True, slots=True)
class Engine:
    """A container engine that answers: the SDK's client, its address, its name and version.

    A `rootless` engine runs as a user of this host, not as root. It may have fewer `processors` than this host.
    `architecture` is that of its machine, as engines name it: `amd64`, `arm64`.
    """

    client: Any
    address: str
    name: str
    rootless: bool = False
    processors: int = 1
    architecture: str = ""

    @property
    def is_podman(self) -> bool:
        """Whether it is Podman, whose API differs from Docker's in details."""
        return self.name.startswith("Podman")


class NoEngine(NoEnvironment):
    """No container engine can be used on this host (exit code 3)."""


class ImageMissing(NoEnvironment):
    """An image is not in the engine and cannot be pulled (exit code 3)."""


def find_engine(environ: Mapping[str, str]) -> Engine:
    """The engine that the user's variables or active Docker context name, else Docker's own socket, else Podman's.

    Raises NoEngine if none answers, none is open to this user, or none is new enough.
    """
    named = _named(environ)
    tried: list[NoEngine] = []
    for settings in [named] if named else [{"base_url": address} for address in _usual(environ)]:
        try:
            return _connect(settings)
        except NoEngine as error:
            tried.append(error)
    # An engine that may not be used tells the user more than one that does not exist.
    raise next((error for error in tried if "may not" in error.what), tried[0])


def _sdk() -> Any:
    import docker

    return docker


def _named(environ: Mapping[str, str]) -> dict[str, object]:
    """The settings from DOCKER_HOST, DOCKER_CONTEXT or Docker's current context; empty if there are none."""
    docker = _sdk()
    try:
        if environ.get("DOCKER_HOST"):
            return dict(docker.utils.kwargs_from_env(environment=dict(environ)))
        name = environ.get("DOCKER_CONTEXT") or docker.context.config.get_current_context_name()
        if name == "default":
            return {}
        found = dict(docker.ContextAPI.kwargs_from_context(name))
    except (docker.errors.DockerException, OSError, ValueError, KeyError) as error:
        raise NoEngine(
            "Docker's settings cannot be used.",
            why=str(error),
            next_step="Correct DOCKER_HOST, DOCKER_CONTEXT or Docker's config.json.",
        ) from error
    if not found:
        raise NoEngine(
            f"There is no Docker context {name!r}.",
            next_step="Choose one that `docker context ls` lists with DOCKER_CONTEXT.",
        )
    return found


def _usual(environ: Mapping[str, str]) -> list[str]:
    """Where engines listen by default: Docker's socket, then Podman's."""
    runtime = environ.get("XDG_RUNTIME_DIR")
    sockets = [*([f"unix://{runtime}/podman/podman.sock"] if runtime else []), "unix:///run/podman/podman.sock"]
    podman = [socket for socket in sockets if Path(socket.removeprefix("unix://")).exists()]
    return [*filter(None, [environ.get("CONTAINER_HOST")]), DOCKER_SOCKET, *podman]


def _connect(settings: Mapping[str, object]) -> Engine:
    docker = _sdk()
    address = str(settings.get("base_url") or DOCKER_SOCKET)
    try:
        client = docker.DockerClient(
            version="auto", timeout=TIMEOUT_SECONDS, use_ssh_client=address.startswith("ssh:"), **settings
        )
        told, facts = client.version(), client.info()
    except (docker.errors.DockerException, OSError, ValueError) as error:
        raise _why_not(address, error) from error
    rootless = any("rootless" in option for option in facts.get("SecurityOptions") or ())
    architecture = str(told.get("Arch") or "")
    engine = Engine(client, address, _name(told), rootless, int(facts.get("NCPU") or 1), architecture)
    if tuple(int(part) for part in client.api.api_version.split(".")) < OLDEST_API:
        wanted = ".".join(map(str, OLDEST_API))
        raise NoEngine(
            f"The container engine at {address} is too old.",
            why=f"{engine.name} speaks version {client.api.api_version} of Docker's API; {wanted} is the oldest that "
            "envguard speaks",
            next_step="Update it to Docker 20.10 or Podman 4, or newer.",
        )
    return engine


def _name(told: Any) -> str:
    """The engine's name and version, from what it says of itself."""
    names = [f"{part.get('Name')} {part.get('Version')}" for part in told.get("Components") or ()]
    podman = [name for name in names if name.startswith("Podman")]
    return podman[0] if podman else f"Docker {told.get('Version', '')}"


def _why_not(address: str, error: BaseException) -> NoEngine:
    """The error for an address that gives no answer."""
    cause = _system_error(error)
    if cause is not None and cause.errno in (errno.EACCES, errno.EPERM):
        return NoEngine(
            f"You may not use the container engine at {address}.",
            why=str(cause.strerror),
            next_step="Ask an administrator to add you to the group that owns the socket (`usermod -aG docker USER`, "
            "which amounts to root access), or use rootless Docker or Podman.",
        )
    if cause is not None and cause.errno in (errno.ENOENT, errno.ECONNREFUSED):
        return NoEngine(
            f"There is no container engine at {address}.",
            why=str(cause.strerror),
            next_step="Start Docker or Podman's service (`systemctl --user start podman.socket`), or name another "
            "with DOCKER_HOST.",
        )
    return NoEngine(
        f"The container engine at {address} does not answer.",
        why=str(error),
        next_step="Check that it is running, and check DOCKER_HOST or the Docker context.",
    )


def _system_error(error: BaseException | None) -> OSError | None:
    """The system's own error behind those that libraries raised."""
    while error is not None:
        if isinstance(error, OSError) and error.errno is not None:
            return error
        error = error.__cause__ or error.__context__
    return None


@contextlib.contextmanager
def told_by(engine: Engine, doing: str) -> Iterator[None]:
    """Turn the engine's failure while `doing` something ("build the image x") into an error that a user can act on."""
    import requests

    docker = _sdk()
    try:
        yield
    except (docker.errors.DockerException, requests.RequestException) as error:
        said = str(getattr(error, "explanation", None) or getattr(error, "msg", None) or error)
        if isinstance(error, docker.errors.BuildError):
            said = "".join(str(line.get("stream") or line.get("error") or "") for line in error.build_log)[-2000:]
        raise _refusal(engine, doing, said.strip()) from error


def _refusal(engine: Engine, doing: str, said: str) -> NoEnvironment:
    if NO_SPACE.search(said):
        return NoEnvironment(
            f"{engine.name} has no space left to {doing}.",
            why=said,
            next_step="Free some space: `envguard image prune` removes images without a lock, `docker system prune` "
            "what no container uses.",
        )
    if UNSEEN.search(said):
        return NoEnvironment(
            f"{engine.name} at {engine.address} does not see the files of this machine.",
            why=said,
            next_step="Use an engine of this machine, and a folder that it shares with containers.",
        )
    return NoEnvironment(f"{engine.name} could not {doing}.", why=said, next_step="See the log of the engine.")
