"""Mask secrets and the home folder in every text that leaves a user's machine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from envguard.host.secrets import without_secrets

SHORTEST_NAME = 4


def masked(text: str, environ: Mapping[str, str], home: Path) -> str:
    """The text without anything that is or may be a secret, with `~` for the home folder and `USER` for its owner."""
    return _without_home(without_secrets(text, environ), environ, home)


def _without_home(text: str, environ: Mapping[str, str], home: Path) -> str:
    folders = {str(home), str(home.resolve()), environ.get("HOME", ""), environ.get("USERPROFILE", "")}
    for folder in sorted((each for each in folders if len(each) > 1), key=len, reverse=True):
        text = re.sub(rf"{re.escape(folder)}(?![\w.-])", "~", text)
    for name in {environ.get("USER", ""), environ.get("LOGNAME", ""), home.name} - {"", "root", "user"}:
        if len(name) >= SHORTEST_NAME:
            text = re.sub(rf"(?<![\w]){re.escape(name)}(?![\w])", "USER", text)
    return text
