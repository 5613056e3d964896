"""A program in a locked-down container: no network, nothing to write to but one folder, gone when it ends."""

from __future__ import annotations

import contextlib
import os
import signal
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
from envguard.backends.resources import Resources
from envguard.errors import Interrupted

OWNER = "envguard.owner"
STDOUT = 1  # of the frames that an engine sends
SCRATCH = "rw,noexec,nosuid,nodev,mode=1777,size=1g"


@dataclass(frozen=True, slots=True)
class Mount:
    """A file or folder of this host and its place in the container, where it can be read and perhaps written."""

    source: Path
    target: PurePosixPath
    writable: bool = False


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """What to run in a container of which image, in which folder of it; `owner` says whose it is if it is left over."""

    image: str
    command: Sequence[str]
    mounts: Sequence[Mount]
    variables: Mapping[str, str]
    folder: PurePosixPath
    owner: str


class ContainerProcess:
    """A program that runs in a container of its own; `stdout` is what it prints there."""

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
        """Its exit code, less than zero for the signal that ended it, as that of a process of this machine would be."""
        code = self.exit_code()
        return 128 - code if 128 < code < 128 + signal.NSIG else code

    def exit_code(self) -> int:
        """Its exit code as shells give it and `launch.py` hands it out: 128 + n if signal n ended it."""
        with told_by(self._engine, "wait for a container"):
            code = int(self._engine.client.api.wait(self._identifier, timeout=None)["StatusCode"])
            state = self._engine.client.api.inspect_container(self._identifier)["State"]
        if self._pump is not None:
            self._pump.join()
        if state.get("OOMKilled"):
            memory = f"{self._resources.memory / 2**30:.1f} GiB"
            self._log.write(f"It needed more memory than its container may use ({memory}; ENVGUARD_MEMORY).\n".encode())
            self._log.flush()
        return code

    def close(self) -> None:
        """Remove the container, running or not, and let go of its streams."""
        _remove(self._engine, self._identifier)
        if self._pump is None:
            os.close(self._writer)
        else:
            self._pump.join()  # the removal has ended what it reads
        for stream in (self._connection, self.stdout):
            if stream is not None:
                stream.close()

    def _carry(self, talks: bool) -> None:
        """Take apart what the engine sends: standard output, and the rest for the log."""
        with os.fdopen(self._writer, "wb", buffering=0) as told, contextlib.suppress(OSError, ValueError):
            for stream, piece in frames_iter(self._connection, tty=False):
                (told if stream == STDOUT and talks else self._log).write(piece)
            self._log.flush()


@contextlib.contextmanager
def container_process(
    engine: Engine, spec: ContainerSpec, resources: Resources, log: IO[bytes], *, talks: bool
) -> Iterator[ContainerProcess]:
    """Run a program in a new container, which is removed when the block ends.

    Its standard output comes to us if it `talks`, everything else goes to `log`. Its standard input is never written
    to, and closes when this process ends.
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
            "Interrupted.", next_step="Run the same command again; what was built is kept."
        ) from interrupt


def run_in_container(engine: Engine, spec: ContainerSpec, resources: Resources, log: IO[bytes]) -> tuple[int, bytes]:
    """Run a program to its end; gives back its exit code and what it printed to its standard output."""
    with container_process(engine, spec, resources, log, talks=True) as process:
        assert process.stdout is not None
        said = process.stdout.read()
        return process.wait(), said


def remove_left_over(engine: Engine, is_over: Callable[[str], bool]) -> None:
    """Remove the containers whose owner `is_over`: those of runs that were killed."""
    with told_by(engine, "list its containers"):
        for container in engine.client.api.containers(all=True, filters={"label": OWNER}):
            if is_over(container["Labels"][OWNER]):
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
            host_config=api.create_host_config(**_locked_down(engine, spec.mounts, resources)),
        )["Id"]
    )


def _locked_down(engine: Engine, mounts: Sequence[Mount], resources: Resources) -> dict[str, object]:
    settings = {
        "network_mode": "none",
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
            Bind(str(mount.target), str(mount.source), type="bind", read_only=not mount.writable) for mount in mounts
        ],
    }
    return {**settings, "userns_mode": "keep-id"} if engine.rootless and engine.is_podman else settings


def _user(engine: Engine) -> str | None:
    """The caller's user and group, so that what is written belongs to the caller; Windows has none to give.

    Rootless Podman is told to keep the caller's number inside; to rootless Docker the caller is root inside.
    """
    if os.name == "nt":
        return None
    return "0:0" if engine.rootless and not engine.is_podman else f"{os.getuid()}:{os.getgid()}"


def _remove(engine: Engine, identifier: str) -> None:
    """What cannot be removed now is found by its label in the next run."""
    with contextlib.suppress(DockerException, RequestException):
        engine.client.api.remove_container(identifier, force=True, v=True)
