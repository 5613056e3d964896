"""What a command prints, without the secrets of its variables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TypeVar

from envguard.host.secrets import without_secrets

Document = TypeVar("Document")


def hidden(text: str) -> str:
    """The text with every secret masked."""
    return without_secrets(text, os.environ)


def hidden_document(document: Document) -> Document:
    """Plain JSON with every secret masked in its texts; masking the written JSON could break it."""
    return _hidden(document)  # type: ignore[return-value]  # of the same shape


def _hidden(value: object) -> object:
    if isinstance(value, str):
        return hidden(value)
    if isinstance(value, Mapping):
        return {name: _hidden(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_hidden(each) for each in value]
    return value
