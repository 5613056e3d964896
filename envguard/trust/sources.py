"""Where packages come from: the user's own settings, and where there are none, those of a project that is allowed.

A user's credentials go to the index that they are for, and through nothing that a project named: a proxy or a
certificate authority of a project's could read them on the way.
"""

from __future__ import annotations

import netrc
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from envguard.catalog.model import Catalog, Index
from envguard.errors import BadInput

INDEXES = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")
MORE_INDEXES = ("UV_INDEX", "UV_EXTRA_INDEX_URL", "PIP_EXTRA_INDEX_URL")
CERTIFICATES = ("SSL_CERT_FILE", "PIP_CERT")
PROXIES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "PIP_PROXY")
NAMED_INDEXES = "UV_INDEX"
NAMED = re.compile(r"UV_INDEX_\w+_(USERNAME|PASSWORD)")


def sources_of(catalog: Catalog, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables, with the project's index, proxy and certificates added where the user has none.

    Raises BadInput if the user's credentials for an index would go through the project's proxy or be shown to whom its
    certificates vouch for.
    """
    index, laid = catalog.index, dict(environ)
    on_the_way = False
    for value, names in ((index.url, INDEXES), (index.certificates, CERTIFICATES), (index.proxy, PROXIES)):
        if value and not any(environ.get(each) for each in names):
            laid[names[0]] = value
            on_the_way |= names is not INDEXES
    laid.update(_with_named(index, environ))
    if not on_the_way:
        return laid
    whose = _credentials(laid)
    if whose:
        raise BadInput(
            f"The project {catalog.project} names a proxy or certificates, and {whose}.",
            why="your credentials go to the index that they are for, and through nothing that a project names",
            next_step="If you trust them, set HTTPS_PROXY and SSL_CERT_FILE yourself; else take [index] out of "
            "envguard.toml.",
        )
    # An index may send uv on to any host, and this keeps it from finding credentials for that one.
    return {**laid, "NETRC": os.devnull, "UV_CREDENTIALS_DIR": f"{os.devnull}/none"}


def _with_named(index: Index, environ: Mapping[str, str]) -> dict[str, str]:
    """uv's variable of named indexes, with those of the project that the user's own does not name."""
    own = environ.get(NAMED_INDEXES, "").split()
    taken = {each.partition("=")[0] for each in own}
    added = [f"{each.name}={each.url}" for each in index.named if each.name not in taken]
    return {NAMED_INDEXES: " ".join([*own, *added])} if added else {}


def _credentials(environ: Mapping[str, str]) -> str:
    """Which of the user's credentials an installer would send to one of these indexes, in words; empty if none."""
    addresses = list(_addresses(environ))
    if any("@" in each for each in addresses):
        return "a variable of yours holds the password for an index"
    if any(value and NAMED.fullmatch(name) for name, value in environ.items()):
        return "variables of yours hold the password for an index"
    if environ.get("UV_KEYRING_PROVIDER", "disabled") not in ("", "disabled"):
        return "your keyring may hold the password for an index"
    hosts = {_host(each) for each in addresses}
    known = _hosts_of_netrc(environ)
    return f"your netrc holds the password for {min(hosts & known)}" if hosts & known else ""


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _addresses(environ: Mapping[str, str]) -> Iterator[str]:
    for name in (*INDEXES, *MORE_INDEXES):
        for each in environ.get(name, "").split():
            named, equals, address = each.partition("=")
            yield address if equals and "://" not in named else each


def _hosts_of_netrc(environ: Mapping[str, str]) -> set[str]:
    """The hosts that the user's netrc has credentials for; none if there is no such file, or none that can be read."""
    named = environ.get("NETRC")
    file = Path(named) if named else Path(environ.get("HOME") or "~").expanduser() / ".netrc"
    try:
        return set(netrc.netrc(str(file)).hosts)
    except (OSError, netrc.NetrcParseError, ValueError):
        return set()
