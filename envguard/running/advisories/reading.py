"""Get the document of advisories that a user names: a file, or an address that is asked for it."""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from envguard.errors import BadInput
from envguard.host.secrets import without_secrets

LARGEST = 200_000_000
SECONDS = 60


def advisories_from(source: str, variables: Mapping[str, str], *, offline: bool) -> bytes:
    """The content of a file or of what an address serves; raises BadInput if it cannot be had.

    The user's proxies and certificates count. `offline` asks no address.
    """
    try:
        scheme = urlsplit(source).scheme
        if scheme in ("http", "https"):
            if offline:
                raise ValueError("--offline asks no address")
            return _downloaded(source, variables)
        path = Path(source).expanduser()
        if not path.is_file():
            raise ValueError("there is no such file")
        with path.open("rb") as file:
            return _within(file.read(LARGEST + 1))
    except (OSError, ValueError, HTTPException, urllib.error.URLError) as error:
        raise BadInput(
            f"The advisories {without_secrets(source, variables)} cannot be read.",
            why=without_secrets(str(error), variables),
            next_step="Name a file, or an http or https address that serves one.",
        ) from error


def _downloaded(address: str, variables: Mapping[str, str]) -> bytes:
    context = ssl.create_default_context(cafile=variables.get("SSL_CERT_FILE") or None)
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context))
    with opener.open(address, timeout=SECONDS) as answer:
        return _within(answer.read(LARGEST + 1))


def _within(content: bytes) -> bytes:
    if len(content) > LARGEST:
        raise ValueError(f"it is larger than {LARGEST:,} bytes")
    return content
