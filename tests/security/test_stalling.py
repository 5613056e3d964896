"""A download to which a byte comes now and then ends in a sentence; one that is merely slow goes on."""

from __future__ import annotations

import contextlib
import http.server
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from envguard.errors import BadInput
from envguard.stalling import LEAST, PATIENCE, VARIABLE, ended_if_stalled, patience_of
from envguard.store.home import environments_folder
from tests.support.command import envguard
from tests.support.wheel_projects import write_wheel_project


@contextlib.contextmanager
def trickling(index: Path) -> Iterator[str]:
    """The files of an index over HTTP, wheels a byte at a time for as long as somebody reads them; its address."""
    over = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = index / self.path.strip("/")
            content = (path / "index.html" if path.is_dir() else path).read_bytes()
            self.send_response(200)
            self.send_header("Content-Type", "text/html" if path.is_dir() else "application/octet-stream")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if path.is_dir():
                self.wfile.write(content)
                return
            with contextlib.suppress(OSError):
                for byte in content:
                    if over.wait(0.5):
                        return
                    self.wfile.write(bytes([byte]))

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        over.set()
        server.shutdown()
        server.server_close()


def test_a_wheel_that_trickles_in_ends_at_a_limit(tmp_path: Path) -> None:
    project = write_wheel_project(tmp_path / "project")
    with trickling(project / "index") as address:
        environ = {"UV_DEFAULT_INDEX": address, VARIABLE: "2"}
        ended = envguard("create", "tools", home=tmp_path / "home", cwd=project, **environ)
    assert ended.code == 3, ended
    assert "has stalled" in ended.err
    assert f"{VARIABLE}=4" in ended.err
    assert [each for each in environments_folder(tmp_path / "home").iterdir() if each.is_dir()] == []


def test_what_grows_slowly_goes_on(tmp_path: Path) -> None:
    ends = []
    with (
        (tmp_path / "growing").open("wb", buffering=0) as file,
        ended_if_stalled([tmp_path, tmp_path / "not there yet"], lambda: ends.append(1), 4.0) as stall,
    ):
        until = time.monotonic() + 9
        while time.monotonic() < until:
            file.write(bytes(LEAST))
            time.sleep(0.3)
    assert (ends, stall.found) == ([], False)


def test_what_grows_by_less_is_ended(tmp_path: Path) -> None:
    ended = threading.Event()
    with (
        (tmp_path / "growing").open("wb", buffering=0) as file,
        ended_if_stalled([tmp_path], ended.set, 1.0) as stall,
    ):
        while not ended.wait(0.05):
            file.write(b"1")
    assert stall.found


def test_the_limit_is_a_number_of_seconds() -> None:
    assert patience_of({}) == PATIENCE
    assert patience_of({VARIABLE: ""}) == PATIENCE
    assert patience_of({VARIABLE: "300"}) == 300
    for text in ("x", "0", "-1", "nan", "inf", "1e99"):
        with pytest.raises(BadInput, match="no number of seconds"):
            patience_of({VARIABLE: text})
