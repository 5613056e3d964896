"""Keep secrets out of everything that is printed or written: the one place that decides what is one.

A secret is known by where it stands (a variable with a telling name, an address of an index or a proxy), and then
masked wherever it appears, in every spelling that tools give it; or by its form in the text itself.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import quote, quote_plus, unquote

MASK = "****"
SHORTEST = 3
"""Shorter values are not looked for: they are parts of many words."""
_ALONE = 6  # a shorter one is only masked where it is a word of its own
_BREAKABLE = 8  # a longer one is also found where a terminal's width has broken it

_TELLING = (
    r"TOKEN(?!IZ)|SECRET|PASSW|PASSPHRASE|PASSCODE|API_?KEY|ACCESS_?KEY|PRIVATE|CREDENTIAL|AUTH(?!OR(?!IZ))|BEARER|COOKIE"
    r"|SESSION|SIGNATURE|JWT|(?:^|_)(?:PASS|PAT|PIN|PW|SALT|SIG|KEY|KEYS|KEY_ID|DSN)$|_PWD$"
)
_SECRET_NAME = re.compile(_TELLING, re.IGNORECASE)
_INDEX_USER = re.compile(r"(?:INDEX|HTTP_BASIC|TWINE|REGISTRY|REPOSITORY|PYPI).*USER", re.IGNORECASE)
# What a desktop and an agent set for each process, and names of files: masking these words would only garble.
_HARMLESS_NAME = re.compile(
    r"(?:XDG|DBUS|GNOME|KDE|GTK)_.*|DESKTOP_SESSION|SESSION_MANAGER|SSH_AUTH_SOCK|XAUTHORITY|.*_(?:FILE|PATH|DIR|SOCK)",
    re.IGNORECASE,
)
_WORDS = frozenset(
    ("true", "false", "yes", "no", "none", "null", "auto", "basic", "digest", "required", "disabled", "enabled")
    + ("subprocess", "simple", "pypi", "user", "root", "admin", "anonymous", "git", "token", "oauth2", "__token__")
    + ("oauth2accesstoken", "x-access-token", "gitlab-ci-token")
)
_ADDRESSED = re.compile(r"INDEX|PROXY|FIND_LINKS|REGISTRY|REPOSITORY|MIRROR", re.IGNORECASE)
_SECRET_PARAMETER = re.compile(_TELLING + r"|CODE|TICKET", re.IGNORECASE)

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,20}://\S+?(?=,[A-Za-z][A-Za-z0-9+.-]*://|\s|$)")
_HOST = re.compile(r"(?:[\w-]+(?:\.[\w-]+)+|localhost|\[[0-9A-Fa-f:]+\])(?::\d{1,5})?")
# Up to the last @: an unencoded password may contain slashes, and more of them.
_IN_ADDRESS = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]{0,20}://)(?P<before>[^\s'\"<>]{1,2000})@")
_QUERY = re.compile(r"(?P<start>[?&;][\w.-]{0,60}=)[^\s&;'\"<>]{1,2000}")
_ASSIGNED = re.compile(
    r"(?P<name>[\w.-]{0,60}(?:token|secret|passw(?:or)?d|passphrase|api[_-]?key|access[_-]?key|credential)[\w.-]{0,60}"
    r"['\"]?\s{0,3}[=:]\s{0,3}['\"]?)[^\s'\",;]{1,2000}",
    re.IGNORECASE,
)
_HEADER = re.compile(
    r"(?P<name>\b(?:(?:proxy-)?authorization|(?:set-)?cookie|x-[\w-]{0,40}(?:key|token))\b['\"]?\s{0,3}[=:]\s{0,3})"
    r"[^\r\n]{1,4000}",
    re.IGNORECASE,
)
_BEARER = re.compile(r"(?P<name>\b(?:bearer|basic|token) )[A-Za-z0-9._~+/=-]{8,2000}", re.IGNORECASE)
# Tokens that their issuers made recognisable: PyPI, GitHub, GitLab, AWS, Google, Hugging Face, Slack, JSON web tokens.
_KNOWN = re.compile(
    r"\bpypi-[\w-]{16,}|\bgh[pousr]_\w{16,}|\bgithub_pat_\w{16,}|\bglpat-[\w-]{16,}|\bAKIA[0-9A-Z]{16}\b"
    r"|\bAIza[\w-]{30,}|\bhf_\w{16,}|\bxox[abprs]-[\w-]{10,}|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{4,}"
)


def without_secrets(text: str, environ: Mapping[str, str]) -> str:
    """The text with every secret of the variables masked in every spelling, and whatever has the form of one."""
    return masker(environ)(text)


def masker(environ: Mapping[str, str]) -> Callable[[str], str]:
    """`without_secrets` of these variables, for many texts."""
    known = [_pattern(secret) for secret in sorted(spellings_of(environ), key=len, reverse=True)]

    def masked(text: str) -> str:
        for pattern in known:
            text = pattern.sub(MASK, text)
        return _without_known_forms(text)

    return masked


def _without_known_forms(text: str) -> str:
    text = _IN_ADDRESS.sub(_without_user, text)
    text = _QUERY.sub(rf"\g<start>{MASK}", text)
    for form in (_HEADER, _BEARER, _ASSIGNED):
        text = form.sub(rf"\g<name>{MASK}", text)
    return _KNOWN.sub(MASK, text)


def spellings_of(environ: Mapping[str, str]) -> frozenset[str]:
    """Every secret of the variables in every spelling that tools give it."""
    return frozenset(each for secret in _secrets(environ) for each in _spellings(secret))


def hashed_if_secret(name: str, value: str) -> str:
    """The value of a variable, or where it is a secret or holds one, `sha256:` and its hash in hex."""
    known = _telling(name) and value.lower() not in _WORDS
    if known or set(_secrets({name: value})) or without_secrets(value, {}) != value:
        return f"sha256:{hashlib.sha256(value.encode('utf-8', 'surrogateescape')).hexdigest()}"
    return value


def _telling(name: str) -> bool:
    told = _SECRET_NAME.search(name) or _INDEX_USER.search(name)
    return bool(told) and not _HARMLESS_NAME.fullmatch(name)


def _secrets(environ: Mapping[str, str]) -> Iterator[str]:
    """Every value that must not be shown, as it is written; also the encoded form in which HTTP sends a user."""
    for name, value in environ.items():
        found = [value, *value.splitlines()] if _telling(name) else []
        addresses = _ADDRESS.findall(value)
        if "PROXY" in name.upper() and not addresses and "@" in value:
            addresses = [f"http://{value}"]  # proxies need no scheme
        for address in addresses:
            found += _in_address(address.partition("://")[2], is_index=bool(_ADDRESSED.search(name)))
        yield from (each for each in found if len(each) >= SHORTEST and each.lower() not in _WORDS)


def _in_address(rest: str, *, is_index: bool) -> Iterator[str]:
    """The secrets of an address without its scheme: user, password, parameters, and of an index parts of the path."""
    before, at, after = rest.rpartition("@")
    if at and not _is_host_and_path(before):
        user, _, password = before.partition(":")
        yield from (before, user, password)
        for each in (before, unquote(before)):
            yield base64.b64encode(each.encode("utf-8", "surrogateescape")).decode().rstrip("=")
            yield base64.urlsafe_b64encode(each.encode("utf-8", "surrogateescape")).decode().rstrip("=")
    else:
        after = rest
    path, _, query = after.partition("?")
    for pair in re.split("[&;]", query):
        name, _, value = pair.partition("=")
        if _SECRET_PARAMETER.search(name) or _looks_random(value):
            yield value
    if is_index:
        yield from filter(_looks_random, path.partition("#")[0].split("/")[1:])


def _is_host_and_path(before: str) -> bool:
    """Whether what stands before an @ is a place, as in `host.example/project@branch`, and no user."""
    host, slash, _ = before.partition("/")
    return bool(slash) and _HOST.fullmatch(host) is not None


def _looks_random(part: str) -> bool:
    """Whether a part of an address is more than a word: letters and digits, mixed cases, or very long."""
    mixed = any(char.isdigit() for char in part) and any(char.isalpha() for char in part)
    cases = part != part.lower() and part[1:] != part[1:].lower() and part != part.upper()
    return len(part) >= 16 or (len(part) >= 8 and (mixed or cases))


def _spellings(secret: str) -> Iterator[str]:
    """A secret as it is written, decoded and encoded for an address, and as JSON and Python quote it."""
    for each in (secret, unquote(secret)):
        yield from (each, quote(each, safe=""), quote(each), quote_plus(each))
        yield from (json.dumps(each)[1:-1], repr(each)[1:-1], json.dumps(each, ensure_ascii=False)[1:-1])
        yield json.dumps(json.dumps(each))[3:-3]


def _pattern(secret: str) -> re.Pattern[str]:
    if len(secret) < _ALONE:
        return re.compile(rf"(?<!\w){re.escape(secret)}(?!\w)")
    if len(secret) < _BREAKABLE or len(secret) > 500:
        return re.compile(re.escape(secret))
    return re.compile(r"(?:\r?\n[ \t|│]*)?".join(map(re.escape, secret)))


def _without_user(found: re.Match[str]) -> str:
    if _is_host_and_path(found["before"]):
        return found[0]
    return f"{found['scheme']}{MASK}@"
