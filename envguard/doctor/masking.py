"""Mask secrets and the home folder in every text that leaves a user's machine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from envguard.host.secrets import MASK, SHORTEST, without_secrets

# Strangers read a report, so this is wider than what is masked in a log that stays here.
SECRET_NAME = re.compile(
    r"TOKEN|SECRET|PASSW|PASSPHRASE|API_?KEY|ACCESS_?KEY|PRIVATE|CREDENTIAL|AUTH|COOKIE|SESSION|SIGNATURE",
    re.IGNORECASE,
)
# Up to the last @: an unencoded password may contain slashes. That may mask a host and a path too.
_IN_ADDRESS = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]{0,20}://)[^\s'\"<>]{1,2000}@")
_QUERY = re.compile(r"(?P<start>[?&;][\w.-]{0,60}=)[^\s&;'\"<>]{1,2000}")
_ASSIGNED = re.compile(
    r"(?P<name>[\w.-]{0,60}(?:token|secret|passw(?:or)?d|passphrase|api[_-]?key|access[_-]?key|credential)[\w.-]{0,60}"
    r"['\"]?\s{0,3}[=:]\s{0,3}['\"]?)[^\s'\",;]{1,2000}",
    re.IGNORECASE,
)
_HEADER = re.compile(
    r"(?P<name>\b(?:authorization|cookie|x-[\w-]{0,40}key)\b['\"]?\s{0,3}[=:]\s{0,3})[^\r\n]{1,4000}", re.I
)
_BEARER = re.compile(r"(?P<name>\b(?:bearer|basic|token) )[A-Za-z0-9._~+/=-]{8,2000}", re.IGNORECASE)
# Tokens that their issuers made recognisable: PyPI, GitHub, GitLab, AWS, Google, Hugging Face, Slack, JSON web tokens.
_KNOWN = re.compile(
    r"\bpypi-[\w-]{16,}|\bgh[pousr]_\w{16,}|\bgithub_pat_\w{16,}|\bglpat-[\w-]{16,}|\bAKIA[0-9A-Z]{16}\b"
    r"|\bAIza[\w-]{30,}|\bhf_\w{16,}|\bxox[abprs]-[\w-]{10,}|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{4,}"
)


def masked(text: str, environ: Mapping[str, str], home: Path) -> str:
    """The text without anything that is or may be a secret, and with `~` for the home folder.

    This masks more than `without_secrets`: users in addresses, variables with less telling names, and whatever looks
    like a secret.
    """
    text = without_secrets(text, environ)
    for secret in sorted(_secrets(environ), key=len, reverse=True):
        text = text.replace(secret, MASK)
    text = _IN_ADDRESS.sub(rf"\g<scheme>{MASK}@", text)
    text = _QUERY.sub(rf"\g<start>{MASK}", text)
    text = _HEADER.sub(rf"\g<name>{MASK}", text)
    text = _BEARER.sub(rf"\g<name>{MASK}", text)
    text = _ASSIGNED.sub(rf"\g<name>{MASK}", text)
    text = _KNOWN.sub(MASK, text)
    return _without_home(text, environ, home)


def _secrets(environ: Mapping[str, str]) -> set[str]:
    found = set()
    for name, value in environ.items():
        if SECRET_NAME.search(name):
            found |= {value, *value.splitlines()}
        for user_and_password in re.findall(r"://([^\s'\"<>]{1,2000})@", value):
            found |= {user_and_password, *user_and_password.split(":", 1)}
    return {secret for secret in found if len(secret) >= SHORTEST}


def _without_home(text: str, environ: Mapping[str, str], home: Path) -> str:
    folders = {str(home), str(home.resolve()), environ.get("HOME", ""), environ.get("USERPROFILE", "")}
    for folder in sorted((each for each in folders if len(each) > 1), key=len, reverse=True):
        text = re.sub(rf"{re.escape(folder)}(?![\w.-])", "~", text)
    for name in {environ.get("USER", ""), environ.get("LOGNAME", ""), home.name} - {"", "root", "user"}:
        if len(name) >= SHORTEST:
            text = re.sub(rf"(?<![\w]){re.escape(name)}(?![\w])", "USER", text)
    return text
