"""Open an address as an installer would: with the user's certificates, proxies and credentials."""

from __future__ import annotations

import base64
import netrc
import ssl
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from envguard.backends.installers.pip_settings import pip_variables


def opener_of(variables: Mapping[str, str], *handlers: urllib.request.BaseHandler) -> urllib.request.OpenerDirector:
    """What opens addresses; `variables` are an installer's, under uv's names.

    Raises ValueError if they name certificates that are not there.
    """
    proxies = {
        name.lower().removesuffix("_proxy"): value
        for name, value in variables.items()
        if name.lower() in ("http_proxy", "https_proxy", "all_proxy", "no_proxy") and value
    }
    everything = proxies.pop("all", "")
    if everything:
        proxies = {"http": everything, "https": everything, **proxies}
    certificates = variables.get("SSL_CERT_FILE") or None
    if certificates and not Path(certificates).is_file():
        raise ValueError(f"the certificates {certificates} are not there")
    context = ssl.create_default_context(cafile=certificates, capath=variables.get("SSL_CERT_DIR") or None)
    return urllib.request.build_opener(
        urllib.request.ProxyHandler(proxies), urllib.request.HTTPSHandler(context=context), *handlers
    )


def request_for(url: str, variables: Mapping[str, str], content: bytes | None = None) -> urllib.request.Request:
    """What asks for an address, with the credentials that the user has for its host; they go to no other."""
    parts = urlsplit(url)
    request = urllib.request.Request(parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl(), content)
    credentials = _credentials(url, variables)
    if credentials:
        request.add_unredirected_header("Authorization", f"Basic {base64.b64encode(credentials.encode()).decode()}")
    return request


def _credentials(url: str, variables: Mapping[str, str]) -> str:
    """`user:password` for the host of an address, from itself, the index settings or the user's netrc; else empty."""
    settings = pip_variables(variables)
    indexes = f"{settings.get('PIP_INDEX_URL', '')} {settings.get('PIP_EXTRA_INDEX_URL', '')}".split()
    host = urlsplit(url).netloc.rpartition("@")[2]
    for each in map(urlsplit, (url, *indexes)):
        if each.netloc.rpartition("@")[2] == host and each.username is not None:
            return f"{unquote(each.username)}:{unquote(each.password or '')}"
    file = Path(variables.get("NETRC") or Path(variables.get("HOME") or "~").expanduser() / ".netrc")
    try:
        entry = netrc.netrc(str(file)).authenticators(urlsplit(url).hostname or "")
    except (OSError, netrc.NetrcParseError, ValueError):
        return ""
    return f"{entry[0]}:{entry[2]}" if entry else ""
