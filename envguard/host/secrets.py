"""Keep secrets out of everything that is printed or written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

MASK = "****"
_IN_URL = re.compile(r"(?<=://)[^/\s@\"'<>]+(?=@)")
_SECRET_NAME = re.compile(r".*(PASSWORD|PASSWD|TOKEN|SECRET|CREDENTIAL|API_?KEY).*", re.IGNORECASE)
SHORTEST = 4


def without_secrets(text: str, environ: Mapping[str, str]) -> str:
    """The text with credentials masked: those in URLs, and every secret in a variable of `environ`."""
    masked = _IN_URL.sub(MASK, text)
    for secret in sorted(_secrets(environ), key=len, reverse=True):
        masked = masked.replace(secret, MASK)
    return masked


def _secrets(environ: Mapping[str, str]) -> set[str]:
    """Values of variables with telling names, and passwords in URLs, as written and decoded."""
    found: set[str] = set()
    for name, value in environ.items():
        if _SECRET_NAME.fullmatch(name):
            found.add(value)
        for url in re.findall(r"\w+://\S+", value):
            try:
                password = urlsplit(url).password
            except ValueError:
                continue
            if password:
                found |= {password, unquote(password)}
    return {secret for secret in found if len(secret) >= SHORTEST}
