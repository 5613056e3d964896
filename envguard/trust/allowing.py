"""Whether a project's user has allowed what it says today; if not, nothing of it runs."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Collection
from pathlib import Path

from envguard.catalog.model import Catalog, Index
from envguard.catalog.projects import PROJECT_FILE
from envguard.catalog.shipped import builtin_catalog
from envguard.clock import utc_now
from envguard.errors import BadInput, NotAllowed
from envguard.trust.changes import Change, changes, difference_text, shortened, what_it_does
from envguard.trust.content import Content, content_of, env_files, file_content
from envguard.trust.records import Record, read_record, text_of, write_record

CHANGES_SHOWN = 10
NO_CONTENT: Content = {}


@dataclasses.dataclass(frozen=True, slots=True)
class Standing:
    """A catalog's project, what its user allowed of it, and what it holds now."""

    catalog: Catalog
    project: Path
    record: Record | None
    content: Content

    @property
    def changed(self) -> tuple[Change, ...]:
        """The files that are not as they were allowed."""
        return changes(self.record, self.content)

    @property
    def allowed(self) -> bool:
        """Whether the user has allowed exactly this."""
        return self.record is not None and not self.changed

    def text(self) -> str:
        """What a user should read before allowing it."""
        shown = difference_text(self.project, self.record, self.changed)
        return shown if self.record is not None else "\n".join(filter(None, (what_it_does(self.catalog), shown)))


def standing_of(catalog: Catalog) -> Standing | None:
    """How a catalog's project stands with its user; None without a project. The built-in catalog is always allowed."""
    if catalog.project is None:
        return None
    declared = catalog.declared or catalog
    record = read_record(catalog.project)
    known = NO_CONTENT if record is None else record.content
    return Standing(declared, catalog.project, record, content_of(declared, known))


def is_allowed(catalog: Catalog) -> bool:
    """Whether everything in the catalog may run."""
    standing = None if catalog.allowed else standing_of(catalog)
    return standing is None or standing.allowed


def require_allowed(catalog: Catalog) -> None:
    """Raise NotAllowed unless everything in the catalog may run."""
    standing = None if catalog.allowed else standing_of(catalog)
    if standing is not None and not standing.allowed:
        raise _refusal(standing)


def _refusal(standing: Standing) -> NotAllowed:
    changed, record = standing.changed, standing.record
    shown = [str(each) for each in changed[:CHANGES_SHOWN]]
    more = [f"… and {len(changed) - CHANGES_SHOWN} more"] if len(changed) > CHANGES_SHOWN else []
    state = "is not trusted yet" if record is None else "has changed since you trusted it"
    return NotAllowed(
        f"The project {standing.project} {state}.",
        why=what_it_does(standing.catalog) if record is None else "\n".join([*shown, *more]),
        next_step="Read it, then run `envguard trust` in its folder; `envguard trust --show` prints what it does, or "
        "what changed. In CI, write `envguard --trust` before the command.",
        shown=shortened(standing.text()),
        allow=lambda: allow(standing),
    )


def allow(standing: Standing) -> None:
    """Record that the user allows what the project held when its standing was taken."""
    readable = standing.content.keys() - env_files(standing.catalog)  # of secrets there is no second copy
    texts = {name: text for name in sorted(readable) if (text := text_of(standing.project / name)) is not None}
    write_record(Record(standing.project, utc_now(), standing.content, texts))


def allow_written(project: Path, file: Path) -> None:
    """Record a file that envguard itself wrote into an allowed project, in place of what was allowed before."""
    record = read_record(project)
    if record is None:
        return
    name = file.relative_to(project).as_posix()
    text = text_of(file)
    texts = {key: value for key, value in record.texts.items() if key != name} | ({} if text is None else {name: text})
    write_record(dataclasses.replace(record, content={**record.content, name: file_content(file)}, texts=texts))


def allow_beside(catalog: Catalog, files: Collection[Path]) -> None:
    """Record files that envguard itself wrote into an allowed project, if they are all that is not as it was."""
    standing = standing_of(catalog)
    if standing is not None and standing.record is not None:
        own = {Path(os.path.relpath(file, standing.project)).as_posix() for file in files}
        if standing.changed and {each.file for each in standing.changed} <= own:
            allow(standing)


def allow_new(folder: Path) -> None:
    """Record a project that envguard itself has just written: its catalog, and nothing that may lie beside it."""
    file = folder / PROJECT_FILE
    text = text_of(file)
    texts = {} if text is None else {PROJECT_FILE: text}
    write_record(Record(folder, utc_now(), {PROJECT_FILE: file_content(file)}, texts))


def as_far_as_allowed(catalog: Catalog) -> Catalog:
    """The catalog without what a project sets for all environments, its index and its base image, unless allowed."""
    builtin = builtin_catalog()
    sets = catalog.index != Index() or catalog.base != builtin.base
    if catalog.project is None or not sets:
        return catalog
    with contextlib.suppress(BadInput):  # what cannot be read cannot be allowed, and does not stop anybody from looking
        if is_allowed(catalog):
            return catalog
    return dataclasses.replace(catalog, index=builtin.index, base=builtin.base, declared=catalog)
