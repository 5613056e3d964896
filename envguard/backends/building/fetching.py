"""Fetch an sdist by its address: with the user's certificates, proxies and credentials, and only if its hash is right.

uv and pip have no way to do that: both run an sdist's code as soon as they have it, to see what it requires.
"""

from __future__ import annotations

import urllib.error
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from envguard.backends.installers.addresses import opener_of, request_for
from envguard.errors import NoEnvironment
from envguard.files import file_facts, write_record
from envguard.host.secrets import without_secrets
from envguard.locks.sdists.built import LockedBuild

LARGEST_SDIST = 500_000_000
SECONDS = 120.0


def fetch_sdist(build: LockedBuild, folder: Path, variables: Mapping[str, str]) -> Path:
    """The sdist of that hash, kept in `folder`; `variables` are an installer's, under uv's names.

    Raises NoEnvironment if the index does not have it, or something else under its name.
    """
    path = folder / build.sha256 / build.filename
    if is_file_of(path, build.sha256):
        return path
    try:
        content = _download(build.url, variables)
    except (OSError, ValueError, urllib.error.URLError) as error:
        raise NoEnvironment(
            f"The sdist {build.filename} cannot be downloaded.",
            why=without_secrets(str(error), variables),
            next_step="Check the network, the proxy and the index settings; then run the same command again.",
        ) from error
    write_record(path, content)
    found = file_facts(path).sha256
    if found != build.sha256:
        path.unlink()
        raise NoEnvironment(
            f"The sdist {build.filename} is not the one of the lock.",
            why=f"its SHA-256 is {found}, not {build.sha256}; nothing of it was run",
            next_step="Check your package index; then run the same command again.",
        )
    return path


def is_file_of(path: Path, sha256: str) -> bool:
    """Whether a file is there and has that hash; every use reads it, as disks do err."""
    return path.is_file() and file_facts(path).sha256 == sha256


def _download(url: str, variables: Mapping[str, str]) -> bytes:
    if urlsplit(url).scheme not in ("http", "https"):
        raise ValueError(f"the index gives it the address {url!r}")
    with opener_of(variables).open(request_for(url, variables), timeout=SECONDS) as answer:
        content = bytes(answer.read(LARGEST_SDIST + 1))
    if len(content) > LARGEST_SDIST:
        raise ValueError(f"it is larger than {LARGEST_SDIST:,} bytes")
    return content
