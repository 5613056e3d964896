"""How locks changed, as a reviewer reads it: by edition, and together for the Pythons that changed alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from envguard.locks.differences import Difference, lock_differences
from envguard.locks.lockfile import Lock

SCHEMA = 1
WORDS = {"added": "added", "removed": "removed", "changed": "changed", "files": "other files"}


@dataclass(frozen=True, slots=True)
class LockChange:
    """A lock before and after; one of them is missing if the lock is new or gone. `why` says why there is none now."""

    environment: str
    edition: str
    python: str
    before: Lock | None
    after: Lock | None
    why: str = ""

    @property
    def state(self) -> str:
        """What became of the lock, in a word."""
        if self.why:
            return "failed"
        if self.before is None or self.after is None:
            return "removed" if self.after is None else "added"
        return "changed" if self.differences else "unchanged"

    @property
    def differences(self) -> tuple[Difference, ...]:
        """What is another, package by package."""
        return lock_differences(self.before, self.after) if self.before and self.after else ()

    def as_json(self) -> dict[str, object]:
        """The change for `--json`."""
        return {
            "environment": self.environment,
            "edition": self.edition,
            "python": self.python,
            "state": self.state,
            "why": self.why,
            "differences": [each.as_json() for each in self.differences],
        }


def changes_json(changes: Sequence[LockChange], compared: str) -> dict[str, object]:
    """All of them; `compared` says what with what."""
    return {"schema": SCHEMA, "compared": compared, "locks": [each.as_json() for each in changes]}


def changes_text(changes: Sequence[LockChange]) -> str:
    """A paragraph for each group of locks that changed alike; a line if none changed."""
    groups: dict[tuple[object, ...], list[LockChange]] = {}
    for each in changes:
        if each.state != "unchanged":
            groups.setdefault((each.environment, each.edition, each.state, each.why, each.differences), []).append(each)
    editions = {(each.environment, each.edition) for each in changes}
    count = {edition: sum((each.environment, each.edition) == edition for each in changes) for edition in editions}
    paragraphs = [
        "\n".join(_paragraph(group, count[group[0].environment, group[0].edition])) for group in groups.values()
    ]
    return "\n\n".join(paragraphs) or f"No package differs in {len(changes)} locks."


def _paragraph(group: Sequence[LockChange], of_edition: int) -> Iterator[str]:
    first = group[0]
    pythons = "all Pythons" if len(group) == of_edition > 1 else "Python " + ", ".join(each.python for each in group)
    yield f"{first.environment} {first.edition}, {pythons}:" + {
        "added": f" a new lock of {len(first.after.packages) if first.after else 0} packages",
        "removed": " the lock is gone",
        "failed": " no lock can be made",
    }.get(first.state, "")
    yield from (f"  {line}" for line in first.why.splitlines())
    wide = max((len(each.what) for each in first.differences), default=0)
    for each in first.differences:
        yield f"  {WORDS[each.kind]:<11}  {each.what:<{wide}}  {each.change}"
