"""What works today and why the rest does not, edition by Python, as a page: made from recorded proofs alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from envguard.catalog.model import Environment

WORDS: Mapping[str, str] = {"known-good": "works", "known-bad": "no", "unknown": "not tried"}


def story_markdown(
    document: Mapping[str, Any], environments: Sequence[Environment], cause: Callable[[str], str]
) -> str:
    """The page for a document of `matrix_document` about these environments.

    `cause` says in a sentence what a tool's words mean, or gives back an empty text; the words stand beside it.
    """
    by_name = {environment.name: environment for environment in environments}
    libc = f" with {document['libc']}" if document["libc"] else ""
    parts = [
        "# What works today, and why the rest does not",
        f"Each cell is a recorded trial on {document['platform']}{libc}: the lock was installed for real and put to "
        "its environment's check, or could not be. Nothing is taken from what a package says of itself. "
        "Made by `envguard matrix --story`.",
    ]
    for table in document["environments"]:
        parts += _section(table, by_name[table["name"]], cause)
    return "\n\n".join(parts) + "\n"


def _section(table: Mapping[str, Any], environment: Environment, cause: Callable[[str], str]) -> list[str]:
    pythons = table["pythons"]
    notes = _notes(table["cells"])
    numbers = {reason: number for number, reason in enumerate(notes, start=1)}
    cells = {(cell["edition"], cell["python"]): cell for cell in table["cells"]}
    rows = [
        "| edition | requires | " + " | ".join(pythons) + " |",
        "|---|---|" + "---|" * len(pythons),
    ]
    for edition in environment.editions:
        words = [_word(cells.get((edition.name, python)), numbers) for python in pythons]
        required = ", ".join(f"`{requirement}`" for requirement in edition.requirements)
        rows.append(f"| {edition.name} | {required} | " + " | ".join(words) + " |")
    explained = [_explained(number, reason, about, cause) for number, (reason, about) in enumerate(notes.items(), 1)]
    return [f"## {environment.name}: {environment.summary}", "\n".join(rows), *explained]


def _word(cell: Mapping[str, Any] | None, numbers: Mapping[str, int]) -> str:
    if cell is None:
        return "–"
    word = WORDS[cell["state"]]
    return f"{word} ({numbers[cell['reason']]})" if cell["reason"] else word


def _notes(cells: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Each reason once, in the table's order, with what it is about."""
    notes: dict[str, list[str]] = {}
    for cell in cells:
        if cell["reason"]:
            notes.setdefault(cell["reason"], []).append(f"{cell['edition']} on Python {cell['python']}")
    return notes


def _explained(number: int, reason: str, about: Sequence[str], cause: Callable[[str], str]) -> str:
    meaning = cause(reason)
    said = " ".join(reason.replace("`", "'").split())
    return f"{number}. **{', '.join(about)}**" + (f": {meaning}" if meaning else "") + f"\n   > {said}"
