"""What the browser's page is made of, served on this machine alone: the page, Tasks for Web, bundles, images."""

from __future__ import annotations

import http.server
import itertools
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from .package import FOLDER

PAGE = Path(__file__).with_name("page.html")
TASKS = "tasks/"
TYPES = {".html": "text/html", ".mjs": "text/javascript", ".js": "text/javascript", ".wasm": "application/wasm"}
BYTES = "application/octet-stream"

_numbers = itertools.count()


@dataclass
class Site:
    """Where the page is, the files that it is made of, and what else is served beside them, by name."""

    address: str = ""
    files: Mapping[str, Path] = field(default_factory=lambda: dict(_files()))
    content: dict[str, bytes] = field(default_factory=dict)

    @contextmanager
    def serving(self, content: bytes) -> Iterator[str]:
        """The name under which content is served during the block."""
        name = f"content/{next(_numbers)}"
        self.content[name] = content
        try:
            yield name
        finally:
            del self.content[name]

    def answer(self, name: str) -> tuple[bytes, str] | None:
        """What a name stands for, and its type; None for what is not served."""
        if name in self.content:
            return self.content[name], BYTES
        path = self.files.get(name)
        return None if path is None else (path.read_bytes(), TYPES.get(path.suffix, BYTES))


@contextmanager
def serving() -> Iterator[Site]:
    """Serve on a free port of the loopback interface, below a name that nobody else on this machine can guess."""
    site, token = Site(), secrets.token_urlsafe(16)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _, secret, name = (*self.path.split("?", 1)[0].split("/", 2), "", "")[:3]
            found = site.answer(name) if secret == token else None
            self.send_response(404 if found is None else 200)
            body, kind = found or (b"", BYTES)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            """Nobody reads it."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        site.address = f"http://127.0.0.1:{server.server_port}/{token}/"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield site
        finally:
            server.shutdown()


def _files() -> Iterator[tuple[str, Path]]:
    """The page, and every file of the package: no name leads anywhere else."""
    yield PAGE.name, PAGE
    for path in FOLDER.rglob("*"):
        if path.is_file():
            yield TASKS + path.relative_to(FOLDER).as_posix(), path
