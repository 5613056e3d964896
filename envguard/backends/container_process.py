"""A program in a locked-down container: no network unless asked for, one writable folder, removed when it ends."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from docker.errors import DockerException
from docker.types import LogConfig
from docker.types import Mount as Bind
from docker.utils.socket import frames_iter
from requests.exceptions import RequestException

from envguard.backends.engine import Engine, told_by
from envguard.backends.resources import OUT_IN_CONTAINER, Resources
from envguard.errors import Interrupted

OWNER = "envguard.owner"
STDOUT = 1  # in the frames that an engine sends
SCRATCH = "rw,noexec,nosuid,nodev,mode=1777,size=1g"


@dataclass(frozen=True, slots=True)
class Mount:
    """A file or folder of this host and its path in the container, where it can be read, and written if `writable`."""

    source: Path
    target: PurePosixPath
    writable: bool = False


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """What to run, in a container of which image and in which folder; `owner` identifies containers left behind.

    With `network` it has the one that the engine gives to containers by default.
    """

    image: str
    command: Sequence[str]
    mounts: Sequence[Mount]
    variables: Mapping[str, str]
    folder: PurePosixPath
    owner: str
    network: bool = False


class ContainerProcess:
    """A program in a container of its own; `stdout` is its standard output."""

    def __init__(self, engine: Engine, spec: ContainerSpec, resources: Resources, log: IO[bytes]) -> None:
        self._engine, self._resources, self._log = engine, resources, log
        self._identifier = _create(engine, spec, resources)
        reader, self._writer = os.pipe()
        self.stdout: IO[bytes] | None = os.fdopen(reader, "rb")
        self._connection: Any = None
        self._pump: threading.Thread | None = None

    def start(self, *, talks: bool) -> None:
        """Start the program; one that does not talk prints to the log."""
        api = self._engine.client.api
        # Attached before the start, so that nothing it says is lost; the engine closes its standard input when this
        # connection ends, however this process ended.
        streams = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
        self._connection = api.attach_socket(self._identifier, params=streams)
        api.start(self._identifier)
        self._pump = threading.Thread(target=self._carry, args=(talks,), daemon=True)
        self._pump.start()

    def wait(self) -> int:
        """The exit code; as for a process of this host, minus n if signal n ended it."""
        code = self.exit_code()
        return 128 - code if 128 < code < 128 + signal.NSIG else code

    def exit_code(self) -> int:
        """The exit code as `launch.py` passes it on, and shells do: 128 + n if signal n ended it."""
        with told_by(self._engine, "wait for a container"):
            code = int(self._engine.client.api.wait(self._identifier, timeout=None)["StatusCode"])
            state = self._engine.client.api.inspect_container(self._identifier)["State"]
        if self._pump is not None:
            self._pump.join()
        if state.get("OOMKilled"):
            memory = f"{self._resources.memory / 2**30:.1f} GiB"
            self._log.write(f"{OUT_IN_CONTAINER} ({memory}; ENVGUARD_MEMORY).\n".encode())
            self._log.flush()
        return code

    def end(self) -> None:
        """End everything in the container at once; it stays to be asked how it ended."""
        with contextlib.suppress(DockerException, RequestException):  # it may have ended by itself
            self._engine.client.api.kill(self._identifier)

    def close(self) -> None:
        """Remove the container, running or not, and close its streams."""
        _remove(self._engine, self._identifier)
        if self._pump is None:
            os.close(self._writer)
        else:
            self._pump.join()  # the removal has ended what it reads
        for stream in (self._connection, self.stdout):
            if stream is not None:
                stream.close()

    def _carry(self, talks: bool) -> None:
        """Split what the engine sends into standard output and the log."""
        with os.fdopen(self._writer, "wb", buffering=0) as told, contextlib.suppress(OSError, ValueError):
            for stream, piece in frames_iter(self._connection, tty=False):
                (told if stream == STDOUT and talks else self._log).write(piece)
            self._log.flush()


@contextlib.contextmanager
def container_process(
    engine: Engine, spec: ContainerSpec, resources: Resources, log: IO[bytes], *, talks: bool
) -> Iterator[ContainerProcess]:
    """Run a program in a new container, which is removed when the block ends.

    Its standard output can be read if it `talks`; everything else goes to `log`. Nothing is written to its standard
    input, which closes when this process ends.
    """
    starting = f"start a container of {spec.image}"
    try:
        with told_by(engine, starting):
            process = ContainerProcess(engine, spec, resources, log)
        try:
            with told_by(engine, starting):
                process.start(talks=talks)
            yield process
        finally:
            process.close()
    except KeyboardInterrupt as interrupt:
        raise Interrupted(
            "Interrupted.", next_step="Run the same command again; what has been built is kept."
        ) from interrupt


def run_in_container(engine: Engine, spec: ContainerSpec, resources: Resources, log: IO[bytes]) -> tuple[int, bytes]:
    """Run a program to its end, and return its exit code and its standard output."""
    with container_process(engine, spec, resources, log, talks=True) as process:
        assert process.stdout is not None
        said = process.stdout.read()
        return process.wait(), said


def remove_left_over(engine: Engine, has_ended: Callable[[str], bool]) -> None:
    """Remove the containers whose owner `has_ended`: those of runs that were killed."""
    with told_by(engine, "list its containers"):
        for container in engine.client.api.containers(all=True, filters={"label": OWNER}):
            if has_ended(container["Labels"][OWNER]):
                _remove(engine, container["Id"])


def _create(engine: Engine, spec: ContainerSpec, resources: Resources) -> str:
    api = engine.client.api
    program, *arguments = spec.command
    return str(
        api.create_container(
            spec.image,
            entrypoint=[program],
            command=arguments,
            user=_user(engine),
            working_dir=str(spec.folder),
            environment=dict(spec.variables),
            labels={OWNER: spec.owner},
            stdin_open=True,
            host_config=api.create_host_config(**_locked_down(engine, spec, resources)),
        )["Id"]
    )


def _locked_down(engine: Engine, spec: ContainerSpec, resources: Resources) -> dict[str, object]:
    settings = {
        "network_mode": "default" if spec.network else "none",
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        "ipc_mode": "private",
        "tmpfs": {"/tmp": SCRATCH},
        "mem_limit": resources.memory,
        "memswap_limit": resources.memory,
        "nano_cpus": int(min(resources.processors or engine.processors, engine.processors) * 1e9),
        "pids_limit": resources.processes,
        "log_config": LogConfig(type="none"),
        "mounts": [
            Bind(str(mount.target), str(mount.source), type="bind", read_only=not mount.writable)
            for mount in spec.mounts
        ],
    }
    return {**settings, "userns_mode": "keep-id"} if engine.rootless and engine.is_podman else settings


def _user(engine: Engine) -> str | None:
    """The caller's user and group, so that files belong to the caller; None on Windows, which has neither.

    Rootless Podman is told to keep the caller's number inside; in rootless Docker, the caller is root inside.
    """
    if sys.platform == "win32":
        return None
    return "0:0" if engine.rootless and not engine.is_podman else f"{os.getuid()}:{os.getgid()}"


def _remove(engine: Engine, identifier: str) -> None:
    """Remove a container; if that fails, the next run finds it by its label."""
    with contextlib.suppress(DockerException, RequestException):
        engine.client.api.remove_container(identifier, force=True, v=True)
