"""A proof records what the lock did: a fault of the index, the network, the disk or the host is never known-bad."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from envguard.host.interpreters import HostFacts
from envguard.locks.evidence import blames_a_wheel, missing_packages, says_nothing_of_the_lock, tells_of_files
from envguard.locks.lockfile import Lock, LockedPackage, LockedWheel, lock_path
from envguard.planning import minor_of
from tests.support.command import Ended, envguard
from tests.support.local_index import make_wheel
from tests.support.projects import CUT_OFF, trusted, write_project

NAME = "private_thing"


@contextlib.contextmanager
def failing_index(wheel: Path, how: str) -> Iterator[str]:
    """An index on this machine that fails in that way, for a package that it has."""
    content, sha256 = wheel.read_bytes(), hashlib.sha256(wheel.read_bytes()).hexdigest()
    other = content + b"other"
    entry = {
        "filename": wheel.name,
        "url": f"/files/{wheel.name}",
        "hashes": {"sha256": hashlib.sha256(other).hexdigest() if how == "another file" else sha256},
        "upload-time": "2026-01-01T00:00:00Z",
    }
    pages = {
        "no files": {"meta": {"api-version": "1.1"}, "name": NAME, "files": []},
        "no dates": {"meta": {"api-version": "1.1"}, "name": NAME, "files": [{**entry, "upload-time": None}]},
        "nonsense": {"files": [{"filename": None}]},
    }
    page = pages.get(how, {"meta": {"api-version": "1.1"}, "name": NAME, "files": [entry]})

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/files/"):
                body = {"another file": other, "a short file": content[:200]}.get(how, content)
                self._answer(500 if how == "500 for files" else 200, body, "application/octet-stream")
            elif how in ("500", "403", "401", "503", "404"):
                self._answer(int(how), b"", "text/plain")
            elif how == "no page at all":
                self._answer(200, b"\0\1\2<a href", "text/html")
            else:
                self._answer(200, json.dumps(page).encode(), "application/vnd.pypi.simple.v1+json")

        do_HEAD = do_GET  # noqa: N815 - the base class's name

        def _answer(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/simple"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def project(tmp_path: Path, host: HostFacts) -> Path:
    """A project whose environment `one` requires a package of the failing index."""
    folder = write_project(tmp_path / "project", minor_of(host.usable[0]), "", {})
    file = folder / "envguard.toml"
    file.write_text(file.read_text().replace("requirements = []", 'requirements = ["private-thing==1.0"]', 1))
    return folder


def prove(project: Path, home: Path, **environ: str) -> Ended:
    quick = {"UV_HTTP_RETRIES": "0", "UV_HTTP_TIMEOUT": "10", "NO_PROXY": "127.0.0.1"}
    return envguard("prove", "one", home=home, cwd=trusted(project), **quick, **environ)


FAULTS = ["500", "503", "403", "401", "404", "no page at all", "no files", "no dates", "nonsense"]


@pytest.mark.parametrize("how", FAULTS)
def test_what_an_index_does_not_tell_is_not_recorded_as_unresolvable(project: Path, tmp_path: Path, how: str) -> None:
    for lock in (project / "lockfiles" / "one").rglob("cp3*.txt"):
        lock.unlink()
    with failing_index(make_wheel(tmp_path, NAME, "1.0"), how) as address:
        ended = prove(project, tmp_path / "home", UV_DEFAULT_INDEX=address)
    assert ended.code == 3, ended
    assert not list(project.rglob("proofs.json"))


@pytest.mark.parametrize(
    "how", [*(each for each in FAULTS if each != "no dates"), "another file", "a short file", "500 for files"]
)
def test_what_an_index_does_not_deliver_is_not_recorded_as_uninstallable(
    project: Path, tmp_path: Path, how: str, host: HostFacts
) -> None:
    wheel, python = make_wheel(tmp_path, NAME, "1.0"), minor_of(host.usable[0])
    locked = LockedWheel(wheel.name, hashlib.sha256(wheel.read_bytes()).hexdigest())
    package = LockedPackage("private-thing", "1.0", "", (locked,))
    lock = Lock("one", "1", python, CUT_OFF, ("private-thing==1.0",), (), (package,))
    lock_path(project / "lockfiles", "one", "1", python).write_text(lock.text())
    with failing_index(wheel, how) as address:
        ended = prove(project, tmp_path / "home", UV_DEFAULT_INDEX=address)
    assert ended.code == 3, ended
    assert not list(project.rglob("proofs.json"))


def test_a_version_that_there_is_not_is_recorded(project: Path, tmp_path: Path) -> None:
    """The index answers, and has the package: then what it lacks is evidence."""
    for lock in (project / "lockfiles" / "one").rglob("cp3*.txt"):
        lock.unlink()
    with failing_index(make_wheel(tmp_path, NAME, "2.0"), "not at all") as address:
        ended = prove(project, tmp_path / "home", UV_DEFAULT_INDEX=address)
    assert ended.code == 1, ended
    (proofs,) = project.rglob("proofs.json")
    assert "there is no version of private-thing==1.0" in json.loads(proofs.read_text())["proofs"][0]["reason"]


OF_THE_HOST = {
    "a full disk": "import os; raise OSError(28, os.strerror(28))",
    "a read-only disk": "import os; raise OSError(30, os.strerror(30))",
    "a broken disk": "import os; raise OSError(5, os.strerror(5))",
    "no memory": "raise MemoryError",
    "a network that does not answer": "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9')",
    "somebody who ended it": "import os; os.kill(os.getpid(), 9)",
}
OF_THE_LOCK = {
    "a missing module": ("import not_there", "No module named 'not_there'"),
    "a wrong result": ("assert 1 + 1 == 3, 'it cannot count'", "it cannot count"),
    "a crash": ("import os; os.kill(os.getpid(), 11)", "SIGSEGV"),
}


def checked_with(tmp_path: Path, host: HostFacts, code: str) -> Path:
    folder = write_project(tmp_path / "project", minor_of(host.usable[0]), "", {"check.py": code})
    file = folder / "envguard.toml"
    text = file.read_text()
    old = 'check = { command = ["python", "-c", "import sys; assert not sys.flags.no_site"] }'
    assert old in text
    file.write_text(text.replace(old, 'check = { command = ["python", "check.py"] }', 1))
    return folder


@pytest.mark.parametrize("fault", OF_THE_HOST)
def test_a_fault_of_the_host_during_the_check_is_not_recorded(tmp_path: Path, host: HostFacts, fault: str) -> None:
    project = checked_with(tmp_path, host, OF_THE_HOST[fault])
    ended = prove(project, tmp_path / "home")
    assert ended.code == 1, ended
    assert "not tried" in ended.out
    assert not list(project.rglob("proofs.json"))


def test_a_check_that_is_not_there_says_nothing_of_the_lock(tmp_path: Path, host: HostFacts) -> None:
    project = checked_with(tmp_path, host, "")
    (project / "check.py").unlink()
    ended = prove(project, tmp_path / "home")
    assert "not tried" in ended.out, ended
    assert not list(project.rglob("proofs.json"))


@pytest.mark.parametrize("fault", OF_THE_LOCK)
def test_a_failure_of_the_lock_is_recorded(tmp_path: Path, host: HostFacts, fault: str) -> None:
    code, reason = OF_THE_LOCK[fault]
    project = checked_with(tmp_path, host, code)
    ended = prove(project, tmp_path / "home")
    assert ended.code == 1, ended
    (proofs,) = project.rglob("proofs.json")
    (proof,) = json.loads(proofs.read_text())["proofs"]
    assert (proof["result"], reason in proof["reason"]) == ("fails", True), proof


@pytest.mark.parametrize(
    "said",
    [
        "error: Failed to install: six.whl\n  cause: failed to write: No space left on device (os error 28)",
        "error: Failed to download `six==1.17.0`\n  cause: Hash mismatch for `six==1.17.0`",
        "error: Failed to fetch: http://index/six\n  cause: HTTP status server error (500)",
        "error: Failed to install: six.whl\n  cause: Permission denied (os error 13)",
    ],
)
def test_the_words_of_an_installer_that_blame_no_wheel(said: str) -> None:
    assert says_nothing_of_the_lock(said)
    assert not blames_a_wheel(said)


def test_what_an_emulator_may_have_a_part_in_does_not_tell_of_files() -> None:
    assert tells_of_files("The step 'check' ended with exit code 1. ModuleNotFoundError: No module named 'six'")
    for said in ("ImportError: undefined symbol: x", "was ended by SIGILL", "cosine 0.2 is below the limit"):
        assert not tells_of_files(said)


def test_the_words_of_an_installer_that_blame_a_wheel() -> None:
    assert blames_a_wheel("error: Failed to install: six.whl\n  cause: The wheel is invalid: RECORD file not found")
    assert missing_packages("Because there is no version\n of six==9 and there are no versions of one") == (
        "six",
        "one",
    )
