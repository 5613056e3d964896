"""Documents that anybody may have written: JSON that is parsed only as deep as what reads it can follow."""

from __future__ import annotations

import json

MOST_LEVELS = 64
"""Tables in tables; ours have at most a dozen, and Python's own recursion ends at some three hundred."""


def parse_json(text: bytes | str) -> object:
    """Parse JSON; raises ValueError if it is none, or `refuse_deep` refuses it."""
    try:
        document: object = json.loads(text)
    except RecursionError as error:
        raise ValueError(_too_deep()) from error
    refuse_deep(document)
    return document


def refuse_deep(document: object) -> None:
    """Raise ValueError for lists or tables that are nested more than `MOST_LEVELS` deep."""
    level = [document]
    for _ in range(MOST_LEVELS + 1):
        level = [
            inner
            for each in level
            if isinstance(each, (dict, list))
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return
    raise ValueError(_too_deep())


def _too_deep() -> str:
    return f"it is nested more than {MOST_LEVELS} levels deep"
