"""A package index on this machine: TLS under a CA of its own, passwords if wanted, and a proxy to reach it through."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.server
import io
import json
import select
import shutil
import socket
import socketserver
import ssl
import subprocess
import tarfile
import threading
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

YANKED = ".yanked"


NO_FILES: Mapping[str, str] = {}


def make_wheel(
    folder: Path,
    name: str,
    version: str,
    tag: str = "py3-none-any",
    *,
    needs: Sequence[str] = (),
    code: str = "",
    others: Mapping[str, str] = NO_FILES,
) -> Path:
    """A wheel with one module of that name, whose `version` is what it says and which then runs `code`.

    It `needs` those packages (PEP 508), and has the `others` among its files.
    """
    info = f"{name}-{version}.dist-info"
    files = {
        **others,
        f"{name}.py": f"version = {version!r}\n{code}",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        + "".join(f"Requires-Dist: {each}\n" for each in needs),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\n" + f"Tag: {tag}\n",
    }
    rows = []
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        rows.append(f"{path},sha256={digest},{len(text.encode())}\n")
    files[f"{info}/RECORD"] = "".join(rows) + f"{info}/RECORD,,\n"
    wheel = folder / f"{name}-{version}-{tag}.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path), text)
    return wheel


# A build backend (PEP 517) of one module: it runs a project's `setup.py`, and packs the modules that it finds. What
# `setup.py` leaves in `needs` is what the wheel requires, and so is what it leaves in `stamp` part of its content.
BACKEND = r"""
import base64, hashlib, json, pathlib, zipfile
def build_wheel(folder, settings=None, metadata=None):
    project = json.loads(pathlib.Path("project.json").read_text())
    name, version = project["name"], project["version"]
    made = {"needs": [], "stamp": ""}
    exec(pathlib.Path("setup.py").read_text(), made)
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"version = {version!r}\nstamp = {made['stamp']!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        + "".join(f"Requires-Dist: {each}\n" for each in made["needs"]),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = []
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        rows.append(f"{path},sha256={digest},{len(text.encode())}\n")
    files[f"{info}/RECORD"] = "".join(rows) + f"{info}/RECORD,,\n"
    wheel = f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(folder, wheel), "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path), text)
    return wheel
"""


def make_sdist(
    folder: Path,
    name: str,
    version: str,
    setup: str = "",
    backend: str = "backend",
    others: Mapping[str, str] = NO_FILES,
) -> Path:
    """An sdist whose `setup.py` is run by the module `backend`, which must come from the index.

    It has the `others` among its files.
    """
    files = {
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        "pyproject.toml": f'[build-system]\nrequires = ["{backend}"]\nbuild-backend = "{backend}"\n',
        "project.json": json.dumps({"name": name, "version": version}),
        "setup.py": setup,
        **others,
    }
    sdist = folder / f"{name}-{version}.tar.gz"
    with tarfile.open(sdist, "w:gz") as archive:
        for path, text in files.items():
            member = tarfile.TarInfo(f"{name}-{version}/{path}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return sdist


@dataclass(frozen=True)
class Authority:
    """A certificate authority that nobody trusts until told to, and a certificate of it for localhost."""

    certificate: Path
    server_certificate: Path
    server_key: Path


def make_authority(folder: Path) -> Authority:
    """Make both with the openssl program."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("the openssl program is needed to make a certificate authority")

    def run(*arguments: str) -> None:
        subprocess.run([openssl, *arguments], cwd=folder, check=True, capture_output=True)

    (folder / "extensions").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
        "-subj", "/CN=A private authority")  # fmt: skip
    run("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
    run("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
        "-out", "server.pem", "-days", "2", "-extfile", "extensions")  # fmt: skip
    return Authority(folder / "ca.pem", folder / "server.pem", folder / "server.key")


@dataclass
class Index:
    """A running index: its address, and the paths that it was asked for."""

    host: str
    asked: list[str] = field(default_factory=list)

    def url(self, credentials: str = "") -> str:
        """The address of the simple index, with `user:password` in it if given."""
        return f"https://{credentials + '@' if credentials else ''}{self.host}/simple"


def yank(wheel: Path) -> None:
    """Have the index say of a wheel that it is yanked (PEP 592)."""
    wheel.with_name(wheel.name + YANKED).touch()


@contextlib.contextmanager
def serving(wheels: Path, authority: Authority, credentials: str = "", *, dated: bool = True) -> Iterator[Index]:
    """Serve a folder of wheels as a simple index (PEP 691) over TLS; with `credentials`, to their bearer alone.

    An index that is not `dated` does not tell when files were uploaded.
    """
    index = Index("")
    expected = "Basic " + base64.b64encode(credentials.encode()).decode() if credentials else None

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            index.asked.append(self.path)
            if expected is not None and self.headers.get("Authorization") != expected:
                self._answer(401, b"who are you?", "text/plain")
                return
            kind, _, name = self.path.partition("?")[0].strip("/").partition("/")
            if kind == "simple":
                stem = name.replace("-", "_")
                found = sorted([*wheels.glob(f"{stem}-*.whl"), *wheels.glob(f"{stem}-*.tar.gz")])
                body = json.dumps(
                    {"meta": {"api-version": "1.1"}, "name": name, "files": [_entry(each, dated) for each in found]}
                )
                self._answer(200 if found else 404, body.encode(), "application/vnd.pypi.simple.v1+json")
            elif kind == "files" and (wheels / name).is_file():
                self._answer(200, (wheels / name).read_bytes(), "application/octet-stream")
            else:
                self._answer(404, b"", "text/plain")

        do_HEAD = do_GET  # noqa: N815 - the base class's name

        def _answer(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            if status == 401:
                self.send_header("WWW-Authenticate", 'Basic realm="tests"')
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with over_tls(Handler, authority) as index.host:
        yield index


@contextlib.contextmanager
def over_tls(handler: type[http.server.BaseHTTPRequestHandler], authority: Authority) -> Iterator[str]:
    """A server on this machine whose certificate is of that authority: its host and port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.server_certificate, authority.server_key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with _running(server):
        yield f"localhost:{server.server_address[1]}"


def _entry(wheel: Path, dated: bool) -> dict[str, object]:
    """A file of the index, with the upload time (PEP 700) that a cut-off date needs."""
    entry: dict[str, object] = {
        "filename": wheel.name,
        "url": f"/files/{wheel.name}",
        "hashes": {"sha256": hashlib.sha256(wheel.read_bytes()).hexdigest()},
        "size": wheel.stat().st_size,
        "yanked": wheel.with_name(wheel.name + YANKED).exists(),
    }
    return {**entry, "upload-time": "2026-01-01T00:00:00Z"} if dated else entry


@contextlib.contextmanager
def proxying() -> Iterator[tuple[str, list[str]]]:
    """A proxy that tunnels TLS: its address, and the hosts that it was asked to connect to."""
    asked: list[str] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            method, target, _ = self.rfile.readline().decode().split()
            while self.rfile.readline().strip():
                pass
            asked.append(target)
            assert method == "CONNECT"
            host, _, port = target.rpartition(":")
            with socket.create_connection((host, int(port))) as upstream:
                self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                _pump(self.connection, upstream)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Handler)
    with _running(server):
        yield f"http://127.0.0.1:{server.server_address[1]}", asked


def _pump(one: socket.socket, other: socket.socket) -> None:
    while True:
        readable, _, _ = select.select([one, other], [], [], 10)
        if not readable:
            return
        for source in readable:
            data = source.recv(65536)
            if not data:
                return
            (other if source is one else one).sendall(data)


@contextlib.contextmanager
def _running(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
