"""Get the document of advisories that a user names: a file, or an address that is asked for it."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from envguard.backends.installers.addresses import opener_of, request_for
from envguard.errors import BadInput
from envguard.host.secrets import without_secrets
from envguard.host.variables import installer_variables

LARGEST = 200_000_000
SECONDS = 60

UNREADABLE = (OSError, ValueError, HTTPException, urllib.error.URLError)


class StaysThere(urllib.request.HTTPRedirectHandler):
    """Follows a server to another of its own addresses only: what one was told is no other's business."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        """The request that follows, if it goes to the same server and is no other than the first."""
        before, after = urlsplit(req.full_url), urlsplit(newurl)
        if req.data is not None or (before.scheme, before.netloc) != (after.scheme, after.netloc):
            raise ValueError(f"it leads on to another address, {newurl}; name that one if it is right")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def advisories_from(source: str, variables: Mapping[str, str], *, offline: bool) -> bytes:
    """The content of a file or of what an address serves; raises BadInput if it cannot be had.

    The user's proxies, certificates and credentials count. `offline` asks no address.
    """
    try:
        if urlsplit(source).scheme in ("http", "https"):
            if offline:
                raise ValueError("--offline asks no address")
            return asked(source, installer_variables(variables))
        path = Path(source).expanduser()
        if not path.is_file():
            raise ValueError("there is no such file")
        with path.open("rb") as file:
            return _within(file.read(LARGEST + 1))
    except UNREADABLE as error:
        raise BadInput(
            f"The advisories {without_secrets(source, variables)} cannot be read.",
            why=without_secrets(str(error), variables),
            next_step="Name a file, or an http or https address that serves one.",
        ) from error


def asked(
    address: str,
    variables: Mapping[str, str],
    content: bytes | None = None,
    *,
    most: int = LARGEST,
    seconds: float = SECONDS,
) -> bytes:
    """What an address answers, if it is sent JSON `content` or else simply asked; raises one of `UNREADABLE`.

    The answer has at most so many bytes. The server may be silent for so many `seconds`, and take twice that for all.
    """
    opener = opener_of(variables, StaysThere())
    request = request_for(address, variables, content)
    if content is not None:
        request.add_header("Content-Type", "application/json")
    with opener.open(request, timeout=seconds) as answer:
        return _whole(answer, most, 2 * seconds)


def _whole(answer: HTTPResponse, most: int, seconds: float) -> bytes:
    ends, parts, size = time.monotonic() + seconds, list[bytes](), 0
    while part := answer.read1(1 << 16):
        parts.append(part)
        size += len(part)
        if size > most:
            break
        if time.monotonic() > ends:
            raise TimeoutError(f"the answer was not whole after {seconds:g} seconds")
    return _within(b"".join(parts), most)


def _within(content: bytes, most: int = LARGEST) -> bytes:
    if len(content) > most:
        raise ValueError(f"it is larger than {most:,} bytes")
    return content
