"""Keep a tool's own words in a record, without addresses and paths that only one host has."""

from __future__ import annotations

import re

LONGEST = 700
ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s`'\"<>)]+", re.IGNORECASE)
ABSOLUTE_PATH = re.compile(r"(?<![\w./])(?:[A-Za-z]:)?[/\\](?:[^\s/\\:'\"`,;)]+[/\\])+(?=[^\s/\\])")


def literal_words(text: str) -> str:
    """A tool's words on one line: addresses replaced, paths cut to their last part, the middle omitted if too long."""
    said = text.strip().split("\n\nhint:")[0].removeprefix("error: ")
    said = " ".join(re.sub(r"\n\s*cause: ", ": ", said).split())
    said = "".join(each if each.isprintable() else "?" for each in said)
    said = ABSOLUTE_PATH.sub("…/", ADDRESS.sub("<address>", said))
    if len(said) > LONGEST:
        half = LONGEST // 2
        said = f"{said[:half]} … {said[-half:]}"
    return said
