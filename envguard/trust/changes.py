"""What has changed in a project since its user allowed it, for the user to read before allowing it again."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from envguard.catalog.model import Catalog, CommandStep
from envguard.trust.content import Content, own_environments, own_tasks
from envguard.trust.records import Record, text_of

Kind = Literal["new", "changed", "gone"]
SIGNS: dict[Kind, str] = {"new": "+", "changed": "~", "gone": "-"}
LINES_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Change:
    """One file that is not as it was allowed, by its path from the project's folder."""

    file: str
    kind: Kind

    def __str__(self) -> str:
        return f"{SIGNS[self.kind]} {self.file}"


def changes(record: Record | None, content: Content) -> tuple[Change, ...]:
    """The files that differ from what was allowed; all are new in a project that never was."""
    before = {} if record is None else record.content
    found = []
    for name in sorted(before.keys() | content.keys()):
        if name not in before:
            found.append(Change(name, "new"))
        elif name not in content:
            found.append(Change(name, "gone"))
        elif before[name].sha256 != content[name].sha256:
            found.append(Change(name, "changed"))
    return tuple(found)


def difference_text(project: Path, record: Record | None, changed: tuple[Change, ...]) -> str:
    """The changed files, and then line by line what changed in those that are text.

    The names come first, so that no long change hides another file.
    """
    lines = [str(change) for change in changed]
    if record is None:
        return "\n".join(lines)
    for change in changed:
        difference = list(_diff(project, record, change))
        lines += ["", f"{change.file}:", *(f"    {line}" for line in difference)] if difference else []
    return "\n".join(lines)


def shortened(text: str) -> str:
    """The first lines of a text, and how many more there are."""
    lines = text.split("\n")
    if len(lines) <= LINES_SHOWN:
        return text
    more = f"… and {len(lines) - LINES_SHOWN} more lines, which `envguard trust --show` prints"
    return "\n".join([*lines[:LINES_SHOWN], more])


def _diff(project: Path, record: Record, change: Change) -> Iterator[str]:
    before = record.texts.get(change.file, "" if change.kind == "new" else None)
    after = text_of(project / change.file) if change.kind != "gone" else ""
    if before is None or after is None:
        return
    yield from list(difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=1))[2:]


def what_it_does(catalog: Catalog) -> str:
    """What a project would run and set, a line for each: what a user allows."""
    lines = []
    for environment in own_environments(catalog):
        if environment.check_command:
            lines.append(f"checks {environment.name} with: {' '.join(environment.check_command)}")
        lines += [f"builds and installs the package in {each.path}, for {environment.name}" for each in environment.own]
        built = sorted({name for edition in environment.editions for name in edition.build})
        if built:
            lines.append(f"builds from source, for {environment.name}: {', '.join(built)}")
    for task in own_tasks(catalog):
        for step in task.declared or task.steps:
            if isinstance(step, CommandStep):
                lines.append(f"runs, for the task {task.name}: {' '.join(step.command)}")
                lines += [f"  and hands it your variable {name}" for name in step.pass_env]
                lines += [f"  and lets it call {name} of this machine" for name in step.tools]
                lines += [f"  and hands it the variables of {step.env_file}"] if step.env_file else []
    index = catalog.index
    for value, what in ((index.url, "index"), (index.proxy, "proxy"), (index.certificates, "certificates")):
        if value and catalog.project is not None:
            shown = os.path.relpath(value, catalog.project) if what == "certificates" else value
            lines.append(f"sets the {what} for packages: {shown}")
    if catalog.project is not None:
        lines += [f"fetches {', '.join(each.packages)} from {each.url}" for each in index.named]
    return "\n".join(lines)
