"""Which engine is found, and what is said of one that cannot be used."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import http.server
import json
import os
import socketserver
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from envguard.backends.engine import DOCKER_SOCKET, Engine, NoEngine, find_engine, told_by
from envguard.backends.resources import Resources, resources_from
from envguard.errors import BadInput, NoEnvironment


class _Answer(http.server.BaseHTTPRequestHandler):
    """Speaks as an engine of 2019 does when it is asked for its version."""

    def do_GET(self) -> None:
        version = {"Version": "18.09.9", "ApiVersion": "1.39", "MinAPIVersion": "1.12"}
        body = json.dumps({} if self.path.endswith("/info") else version).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: Any) -> None:
        """Nobody reads it."""

    def address_string(self) -> str:
        return "a socket"


@pytest.fixture
def old_engine() -> Iterator[Path]:
    """The socket of an engine that is too old; its name is short, as sockets' names must be."""
    with tempfile.TemporaryDirectory(prefix="envguard-") as folder:
        path = Path(folder, "podman", "podman.sock")
        path.parent.mkdir()
        with socketserver.UnixStreamServer(str(path), _Answer) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield path
            server.shutdown()


def refused(monkeypatch: pytest.MonkeyPatch, **environ: str) -> NoEngine:
    """What is said with these variables alone."""
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "CONTAINER_HOST", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", environ.pop("DOCKER_CONFIG", "/nowhere"))
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(NoEngine) as caught:
        find_engine(os.environ)
    assert caught.value.exit_code == 3
    assert caught.value.next_step
    return caught.value


def test_no_engine_is_said_in_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    address = f"unix://{tmp_path}/none.sock"
    error = refused(monkeypatch, DOCKER_HOST=address)
    assert (error.what, error.why) == (f"There is no container engine at {address}.", os.strerror(errno.ENOENT))


def test_an_engine_that_this_user_may_not_use(monkeypatch: pytest.MonkeyPatch, old_engine: Path) -> None:
    old_engine.chmod(0o000)
    with _as_nobody(old_engine):
        error = refused(monkeypatch, DOCKER_HOST=f"unix://{old_engine}")
    assert error.what.startswith("You may not use the container engine")


@contextlib.contextmanager
def _as_nobody(path: Path) -> Iterator[None]:
    """Root may do everything; be somebody else for a moment, who can reach the socket's folder."""
    if os.geteuid() != 0:
        yield
        return
    import docker.transport  # noqa: F401 - which nobody could read from here

    for folder in (path.parent, path.parent.parent):
        folder.chmod(0o755)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_an_engine_that_is_too_old(monkeypatch: pytest.MonkeyPatch, old_engine: Path) -> None:
    error = refused(monkeypatch, DOCKER_HOST=f"unix://{old_engine}")
    assert "too old" in error.what
    assert "Docker 18.09.9 speaks version 1.39" in error.why


def test_the_current_context_is_followed(monkeypatch: pytest.MonkeyPatch, old_engine: Path, tmp_path: Path) -> None:
    meta = tmp_path / "contexts" / "meta" / hashlib.sha256(b"elsewhere").hexdigest() / "meta.json"
    meta.parent.mkdir(parents=True)
    endpoint = {"Host": f"unix://{old_engine}", "SkipTLSVerify": False}
    meta.write_text(json.dumps({"Name": "elsewhere", "Metadata": {}, "Endpoints": {"docker": endpoint}}))
    (tmp_path / "config.json").write_text(json.dumps({"currentContext": "elsewhere"}))
    assert str(old_engine) in refused(monkeypatch, DOCKER_CONFIG=str(tmp_path)).what
    assert "'none'" in refused(monkeypatch, DOCKER_CONFIG=str(tmp_path), DOCKER_CONTEXT="none").what
    # DOCKER_HOST goes before every context, as it does for Docker's own command.
    first = refused(monkeypatch, DOCKER_CONFIG=str(tmp_path), DOCKER_HOST="unix:///nowhere.sock")
    assert "/nowhere.sock" in first.what


@pytest.mark.skipif(Path(DOCKER_SOCKET.removeprefix("unix://")).exists(), reason="this host has Docker itself")
def test_where_docker_is_not_podmans_socket_is_tried(monkeypatch: pytest.MonkeyPatch, old_engine: Path) -> None:
    error = refused(monkeypatch, XDG_RUNTIME_DIR=str(old_engine.parents[1]))
    assert error.what == f"There is no container engine at {DOCKER_SOCKET}."
    monkeypatch.setattr("envguard.backends.engine.DOCKER_SOCKET", f"unix://{old_engine}")
    assert "too old" in refused(monkeypatch).what


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("write /usr/lib/libx.so: no space left on device", "has no space left to build the image x"),
        ('invalid mount config for type "bind": bind source path does not exist: /x', "does not see the files"),
        ("unexpected EOF", "could not build the image x"),
    ],
)
def test_what_the_engine_says_is_told_with_what_to_do(said: str, meant: str) -> None:
    from docker.errors import APIError

    engine = Engine(None, "unix:///x.sock", "Docker 20.10.24")
    with pytest.raises(NoEnvironment) as caught, told_by(engine, "build the image x"):
        raise APIError("500 Server Error", explanation=said)
    assert meant in caught.value.what
    assert caught.value.why == said


def test_limits_are_numbers() -> None:
    limits = resources_from({"ENVGUARD_MEMORY": "1.5GiB", "ENVGUARD_CPUS": "0.5"})
    assert (limits.memory, limits.processors) == (3 << 29, 0.5)
    assert resources_from({"ENVGUARD_MEMORY": "200MB"}) == Resources(200_000_000)
    for wrong in ({"ENVGUARD_MEMORY": "much"}, {"ENVGUARD_CPUS": "0"}, {"ENVGUARD_CPUS": "-1"}):
        with pytest.raises(BadInput):
            resources_from(wrong)
