"""A registry of npm's on this machine, with one package in it, and what was asked of it."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.server
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from envguard.npm_package import NpmPackage

NAME, VERSION = "@private/thing", "1.2.3"
CONTENT = {
    "package/package.json": json.dumps({"name": NAME, "version": VERSION, "scripts": {"postinstall": "exit 1"}}),
    "package/thing.js": "thing",
    "package/deep/er.txt": "deeper",
}


def archive_of(files: dict[str, str], *, link: str = "") -> bytes:
    """A package as npm packs it; `link` names a symbolic link to add."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
        if link:
            member = tarfile.TarInfo(link)
            member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
            tar.addfile(member)
    return written.getvalue()


def package_of(archive: bytes) -> NpmPackage:
    """What a lock says of that archive."""
    return NpmPackage(NAME, VERSION, base64.b64encode(hashlib.sha512(archive).digest()).decode())


@dataclass
class Registry:
    """Where it is, and the paths and credentials that it was asked with."""

    url: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)


@contextlib.contextmanager
def npm_registry(archive: bytes) -> Iterator[Registry]:
    """Serve the package from this machine."""
    registry = Registry()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            registry.asked.append((self.path, self.headers.get("Authorization", "")))
            body = archive if self.path.endswith(".tgz") else json.dumps(_described(archive, registry.url)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        registry.url = f"http://127.0.0.1:{server.server_port}/"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield registry
        finally:
            server.shutdown()


def _described(archive: bytes, url: str) -> dict[str, object]:
    dist = {"tarball": f"{url}thing-{VERSION}.tgz", "integrity": f"sha512-{package_of(archive).sha512}"}
    version = {"name": NAME, "version": VERSION, "dist": dist}
    return {"name": NAME, "dist-tags": {"latest": VERSION}, "versions": {VERSION: version}}
