"""Write what was found as an envguard.toml, whose comments say what was left out and why."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Collection, Iterable, Iterator, Sequence

from packaging.requirements import Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from envguard.adopting.found import Found, FoundIndex
from envguard.catalog.indexes import ADDRESS
from envguard.errors import BadInput
from envguard.table_reader import NAME

WIDTH = 118


def pythons_of(found: Found, known: Sequence[str]) -> tuple[str, ...]:
    """The Pythons that the environment is for, of those that envguard knows, the preferred one first.

    A file that says nothing of Pythons is taken for the preferred one alone: what it pins need not be there for others.
    Raises BadInput if it allows none of them.
    """
    if found.pythons is not None:
        return found.pythons
    if not found.requires_python:
        return tuple(known[:1])
    try:
        wanted = SpecifierSet(found.requires_python)
    except InvalidSpecifier as error:
        raise BadInput(
            f"{found.requires_python!r} says nothing of Pythons.", why=str(error), next_step="Correct requires-python."
        ) from error
    fitting = tuple(each for each in known if any(wanted.contains(f"{each}.{patch}") for patch in range(100)))
    if not fitting:
        raise BadInput(
            f"No Python that envguard knows is {found.requires_python}.",
            why=f"it knows {', '.join(sorted(known))}",
            next_step="Allow one of these in the file.",
        )
    return fitting


def environment_name(project: str, taken: Collection[str]) -> str:
    """A name for the environment, made from the project's, that no other environment has."""
    name = re.sub(r"[^a-z0-9_.-]+", "-", project.lower()).strip("-._")
    name = name if NAME.fullmatch(name) else "main"
    return f"{name}-project" if name in taken else name


def catalog_text(found: Found, *, source: str, name: str, pythons: Sequence[str]) -> str:
    """The file's text: an environment with one edition, made from the file that is called `source`."""
    lines = [f"# Made by `envguard init` from {source}.", *_notes(found), "schema = 1", ""]
    lines += [
        f"[environments.{json.dumps(name)}]" if "." in name else f"[environments.{name}]",
        f"summary = {json.dumps(f'What {source} asks for')}",
        f"pythons = {_list(pythons)}",
    ]
    proved = [*([found.name] if found.own else []), *_always(found.requirements)]
    if found.own:
        lines += ["# The package in this folder, with what it depends on.", "project = true"]
    if not found.dependencies:
        lines += ["# The file names everything that is installed, so nothing is added to it.", "dependencies = false"]
    lines += [
        "# What proves that it works, after each build: here, that what is required can be imported. A script",
        '# that does the real thing proves more: check = { command = ["python", "checks/it_works.py"] }',
        'check = "checks.distributions"',
        f"check-options = {{ distributions = {_list(proved)} }}",
        "",
        f"[environments.{json.dumps(name)}.editions.1]" if "." in name else f"[environments.{name}.editions.1]",
        f"requirements = {_list(found.requirements)}",
    ]
    if found.overrides:
        lines.append(f"overrides = {_list(found.overrides)}")
    for each in found.indexes:
        lines += ["", *_index(each, several=len(found.indexes) > 1 or bool(each.packages))]
    return "\n".join(lines) + "\n"


def _notes(found: Found) -> Iterator[str]:
    for each in found.notes:
        yield from textwrap.wrap(each, WIDTH, initial_indent="# - ", subsequent_indent="#   ", break_long_words=False)


def _always(requirements: Iterable[str]) -> list[str]:
    """The packages that are installed everywhere; what a marker excludes somewhere cannot be asked for there."""
    names = [canonicalize_name(each.name) for each in map(Requirement, requirements) if each.marker is None]
    return list(dict.fromkeys(names))


def _list(texts: Sequence[str]) -> str:
    """A list of texts; those of printable ASCII are written alike in JSON and TOML."""
    plain = json.dumps(list(texts))
    if len(plain) < WIDTH - 20:
        return plain
    return "\n".join(["[", *(f"  {json.dumps(each)}," for each in texts), "]"])


def _index(index: FoundIndex, *, several: bool) -> Iterator[str]:
    if not ADDRESS.fullmatch(index.url):
        raise BadInput(
            f"The address of the index {index.name or 'of all packages'} is none of http or https.",
            why="packages come from such an address, or from a folder with --find-links",
            next_step="Correct it in the file.",
        )
    yield "[[index]]" if several else "[index]"
    if index.name:
        yield f"name = {json.dumps(index.name)}"
    yield f"url = {json.dumps(index.url)}"
    if index.packages:
        yield f"packages = {_list(index.packages)}"
