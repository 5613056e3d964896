"""What pip and virtualenv are told: uv's settings under their names, and none of the user's or the system's own."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

# The same setting under uv's name and pip's.
SAME = {
    "SSL_CERT_FILE": "PIP_CERT",
    "UV_HTTP_TIMEOUT": "PIP_TIMEOUT",
    "UV_HTTP_RETRIES": "PIP_RETRIES",
    "UV_INSECURE_HOST": "PIP_TRUSTED_HOST",
}
KEYRING = {"disabled": "disabled", "subprocess": "subprocess"}


def pip_variables(variables: Mapping[str, str]) -> dict[str, str]:
    """uv's settings for indexes, certificates and patience under pip's names; everything else unchanged."""
    kept = {name: value for name, value in variables.items() if not name.upper().startswith("UV_")}
    default = variables.get("UV_DEFAULT_INDEX") or variables.get("UV_INDEX_URL")
    extra = f"{variables.get('UV_INDEX', '')} {variables.get('UV_EXTRA_INDEX_URL', '')}".split()
    if default:
        kept["PIP_INDEX_URL"] = _with_credentials(default, variables)
    if extra:
        kept["PIP_EXTRA_INDEX_URL"] = " ".join(_with_credentials(index, variables) for index in extra)
    kept |= {pips: variables[uvs] for uvs, pips in SAME.items() if variables.get(uvs)}
    kept["PIP_KEYRING_PROVIDER"] = KEYRING.get(variables.get("UV_KEYRING_PROVIDER", ""), "disabled")
    # No configuration file of the user or the system may add to this.
    kept["PIP_CONFIG_FILE"] = kept["VIRTUALENV_CONFIG_FILE"] = os.devnull
    return kept


def _with_credentials(index: str, variables: Mapping[str, str]) -> str:
    """The address of an index with its credentials.

    uv writes `name=address` and keeps the credentials in UV_INDEX_NAME_USERNAME and _PASSWORD.
    """
    match = re.fullmatch(r"(?:(?P<name>[A-Za-z0-9._-]+)=)?(?P<url>.+)", index)
    assert match is not None, index
    parts = urlsplit(match["url"])
    prefix = "UV_INDEX_" + re.sub(r"[^A-Z0-9]", "_", (match["name"] or "").upper())
    user, password = variables.get(f"{prefix}_USERNAME"), variables.get(f"{prefix}_PASSWORD", "")
    if not match["name"] or user is None or "@" in parts.netloc:
        return match["url"]
    return parts._replace(netloc=f"{quote(user, safe='')}:{quote(password, safe='')}@{parts.netloc}").geturl()
