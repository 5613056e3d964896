"""The one way in which commands write their `--json`: each document says which schema it follows."""

from __future__ import annotations

import json
from collections.abc import Mapping

SCHEMA = 1
"""Of documents that have none of their own; it changes when a name in one goes or means something else."""


def document_text(document: object) -> str:
    """A document, plain JSON already, as text: `schema` first, this module's where the document brings none."""
    assert isinstance(document, Mapping)
    return json.dumps({"schema": SCHEMA, **document}, indent=2)
