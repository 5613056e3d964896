"""What a tool said of packages, fit to be kept in a record: its own words, without one host's addresses and paths."""

from __future__ import annotations

import re

LONGEST = 700
ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s`'\"<>)]+", re.IGNORECASE)
ABSOLUTE_PATH = re.compile(r"(?<![\w./])(?:[A-Za-z]:)?[/\\](?:[^\s/\\:'\"`,;)]+[/\\])+(?=[^\s/\\])")


def literal_words(text: str) -> str:
    """One line of a tool's words: addresses replaced, paths cut to their last part, the middle left out if too long."""
    said = text.strip().split("\n\nhint:")[0].removeprefix("error: ")
    said = " ".join(re.sub(r"\n\s*cause: ", ": ", said).split())
    said = ABSOLUTE_PATH.sub("…/", ADDRESS.sub("<address>", said))
    if len(said) > LONGEST:
        half = LONGEST // 2
        said = f"{said[:half]} … {said[-half:]}"
    return said
