"""Fetch a file by its address: with the user's certificates, proxies and credentials, and only if its hash is right.

uv and pip have no way to do that for an sdist: both run its code as soon as they have it, to see what it requires.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPMessage
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from envguard.backends.installers.addresses import opener_of, request_for
from envguard.errors import NoEnvironment
from envguard.files import CHUNK, appearing_whole, file_facts
from envguard.host.secrets import without_secrets
from envguard.locks.sdists.built import LockedBuild
from envguard.system.moving import replace

LARGEST_FILE = 5_000_000_000
SECONDS = 120.0


class _NeverLessSafe(urllib.request.HTTPRedirectHandler):
    """Follows redirections, but none out of an encrypted connection."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        if req.type == "https" and urlsplit(newurl).scheme != "https":
            raise ValueError("it leads on to an address without https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def fetch_sdist(build: LockedBuild, folder: Path, variables: Mapping[str, str]) -> Path:
    """The sdist of that hash, kept in `folder`, out of an index; `variables` and errors are as in `fetch`."""
    kept = folder / build.sha256 / build.filename
    if is_file_of(kept, build.sha256):
        return kept
    advice = "Check your package index; then run the same command again."
    return fetch(build.url, build.filename, folder, variables, sha256=build.sha256, advice=advice)


def fetch(url: str, name: str, folder: Path, variables: Mapping[str, str], *, sha256: str, advice: str) -> Path:
    """The file at an address, kept in `folder` under its hash and that name.

    `variables` are an installer's, under uv's names. With a `sha256`, it must be that. Raises
    NoEnvironment if it cannot be had, and with the `advice` if it is another.
    """
    kept = folder / sha256 / name
    if sha256 and is_file_of(kept, sha256):
        return kept
    part = folder / f"{secrets.token_hex(6)}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        found = _download(url, part, variables)
        if sha256 and found != sha256:
            raise NoEnvironment(
                f"{name} is not the one of the lock, or of the hash in its address.",
                why=f"its SHA-256 is {found}, not {sha256}; nothing of it was kept, installed or run",
                next_step=advice,
            )
        target = folder / found / name
        target.parent.mkdir(exist_ok=True)
        replace(part, target)
    except (OSError, ValueError, urllib.error.URLError) as error:
        raise NoEnvironment(
            f"{name} cannot be downloaded.",
            why=without_secrets(f"{url}: {error}", variables),
            next_step="Check the network, the proxy and the address; then run the same command again.",
        ) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
    return target


def is_file_of(path: Path, sha256: str) -> bool:
    """Whether a file is there and has that hash; every use reads it, as disks do err."""
    return path.is_file() and file_facts(path).sha256 == sha256


def _download(url: str, path: Path, variables: Mapping[str, str]) -> str:
    """Write what is at an address to a file; gives back its SHA-256 in hex."""
    if urlsplit(url).scheme not in ("http", "https"):
        raise ValueError("it is no address of http or https")
    digest, size = hashlib.sha256(), 0
    with (
        opener_of(variables, _NeverLessSafe()).open(request_for(url, variables), timeout=SECONDS) as answer,
        appearing_whole(path) as file,
    ):
        while chunk := answer.read(CHUNK):
            size += len(chunk)
            if size > LARGEST_FILE:
                raise ValueError(f"it is larger than {LARGEST_FILE:,} bytes")
            digest.update(chunk)
            file.write(chunk)
    return digest.hexdigest()
