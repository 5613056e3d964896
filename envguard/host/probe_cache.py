"""Remember what each interpreter answered, so that no Python is started twice to ask the same question."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast, get_args

from envguard.files import write_whole
from envguard.host.interpreters import InterpreterFacts, ProbeProblem
from envguard.host.probing import PROBE_DIGEST, ProbeFailure

FILE_NAME = "interpreters.json"

# A failure may have causes outside of the file (a library, the load), so it is believed for a short time only.
BRIEF_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class _Entry:
    """An outcome, the file it was seen with (time in nanoseconds, size in bytes), and how long it holds.

    `until` is in seconds since the epoch, None if the outcome holds for as long as the file stays the same.
    """

    stamp: tuple[int, int]
    outcome: InterpreterFacts | ProbeFailure
    until: float | None

    def as_json(self) -> dict[str, object]:
        """The entry as `_entry` reads it; what a program printed may hold secrets and is not kept."""
        document: dict[str, object] = {"stamp": list(self.stamp)}
        if isinstance(self.outcome, ProbeFailure):
            document["failure"] = asdict(self.outcome) | {"said": ""}
        else:
            document["facts"] = self.outcome.as_json()
        return document if self.until is None else {**document, "until": self.until}


class ProbeCache:
    """Outcomes of probes on disk, by the file that was started; valid while that file and the probe stay the same.

    A cache that cannot be read or written is treated as empty; nothing is raised.
    """

    def __init__(self, folder: Path | None, *, ignore_old: bool = False) -> None:
        self._file = folder / FILE_NAME if folder else None
        self._entries = {} if ignore_old else _read(self._file)
        self._changed = False

    def get(self, target: Path) -> InterpreterFacts | ProbeFailure | None:
        """The outcome of the last probe of the target, if it still holds."""
        entry = self._entries.get(str(target))
        if entry is None or entry.stamp != _stamp(target):
            return None
        if entry.until is not None and not 0 <= entry.until - time.time() <= BRIEF_SECONDS:
            return None
        return entry.outcome

    def put(self, target: Path, outcome: InterpreterFacts | ProbeFailure, *, briefly: bool = False) -> None:
        """Keep an outcome; a failure, or an answer that depends on more than the file, is kept `briefly`."""
        stamp = _stamp(target)
        if stamp is None:
            return
        brief = briefly or isinstance(outcome, ProbeFailure)
        self._entries[str(target)] = _Entry(stamp, outcome, time.time() + BRIEF_SECONDS if brief else None)
        self._changed = True

    def save(self) -> None:
        """Write what was put, without the entries of files that are gone; whole or not at all."""
        if self._file is None or not self._changed:
            return
        entries = {name: entry.as_json() for name, entry in self._entries.items() if _stamp(Path(name)) is not None}
        document = {"probe": PROBE_DIGEST, "entries": entries}
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._file, json.dumps(document).encode())


def _stamp(target: Path) -> tuple[int, int] | None:
    try:
        status = target.stat()
    except (OSError, ValueError):
        return None
    return (status.st_mtime_ns, status.st_size)


def _read(file: Path | None) -> dict[str, _Entry]:
    if file is None:
        return {}
    try:
        document = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(document, dict) or document.get("probe") != PROBE_DIGEST:
        return {}
    found, entries = document.get("entries"), {}
    for name, entry in found.items() if isinstance(found, dict) else ():
        with suppress(KeyError, TypeError, ValueError):
            entries[name] = _entry(entry)
    return entries


def _entry(document: dict[str, object]) -> _Entry:
    """Read an entry; raises KeyError, TypeError or ValueError if it is none."""
    stamp, until = document["stamp"], document.get("until")
    if not isinstance(stamp, list) or not isinstance(until, (int, float, type(None))):
        raise ValueError("not an entry")
    time_ns, size = stamp
    facts = document.get("facts")
    outcome = _failure(document["failure"]) if facts is None else InterpreterFacts.from_json(facts)
    return _Entry((time_ns, size), outcome, until)


def _failure(document: object) -> ProbeFailure:
    if not isinstance(document, dict):
        raise ValueError("not a failure")
    problem, reason, code = document["problem"], document["reason"], document["exit_code"]
    if problem not in get_args(ProbeProblem) or not isinstance(reason, str) or not isinstance(code, int | None):
        raise ValueError("not a failure")
    return ProbeFailure(cast(ProbeProblem, problem), reason, code)
