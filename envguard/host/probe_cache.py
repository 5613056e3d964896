"""Remember what interpreters have answered, so that no Python is started twice for the same question."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast, get_args

from envguard.files import write_whole
from envguard.host.interpreters import InterpreterFacts, ProbeProblem
from envguard.host.probing import PROBE_DIGEST, ProbeFailure

FILE_NAME = "interpreters.json"

# A failure may have causes outside of the file (a library, the load), so it is believed for a short time only.
BRIEF_SECONDS = 600.0


class ProbeCache:
    """The answers on disk, by the file that was started; valid while that file and the probe stay the same.

    A cache that cannot be read or written is as good as none: nothing is raised.
    """

    def __init__(self, folder: Path | None, *, ignore_old: bool = False) -> None:
        self._file = folder / FILE_NAME if folder else None
        self._entries: dict[str, Any] = {} if ignore_old else _read(self._file)
        self._changed = False

    def get(self, target: Path) -> InterpreterFacts | ProbeFailure | None:
        """What the target answered when it was last asked, if that still holds."""
        entry = self._entries.get(str(target))
        stamp = _stamp(target)
        if stamp is None or not isinstance(entry, dict) or entry.get("stamp") != stamp:
            return None
        with suppress(KeyError, TypeError, ValueError):
            if "until" in entry and not 0 <= entry["until"] - time.time() <= BRIEF_SECONDS:
                return None
            return InterpreterFacts.from_json(entry["facts"]) if "facts" in entry else _failure(entry["failure"])
        return None

    def put(self, target: Path, outcome: InterpreterFacts | ProbeFailure, *, briefly: bool = False) -> None:
        """Keep an outcome; a failure, or an answer that depends on more than the file, is kept `briefly`."""
        entry: dict[str, Any] = {"stamp": _stamp(target)}
        if isinstance(outcome, ProbeFailure):
            entry["failure"] = asdict(outcome) | {"said": ""}
        else:
            entry["facts"] = outcome.as_json()
        if briefly or isinstance(outcome, ProbeFailure):
            entry["until"] = time.time() + BRIEF_SECONDS
        self._entries[str(target)] = entry
        self._changed = True

    def save(self) -> None:
        """Write what was put, without the entries of files that are gone; whole or not at all."""
        if self._file is None or not self._changed:
            return
        entries = {name: entry for name, entry in self._entries.items() if _stamp(Path(name)) is not None}
        document = {"probe": PROBE_DIGEST, "entries": entries}
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._file, json.dumps(document).encode())


def _stamp(target: Path) -> list[int] | None:
    try:
        status = target.stat()
    except (OSError, ValueError):
        return None
    return [status.st_mtime_ns, status.st_size]


def _read(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        document = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(document, dict) or document.get("probe") != PROBE_DIGEST:
        return {}
    entries = document.get("entries")
    return entries if isinstance(entries, dict) else {}


def _failure(document: Mapping[str, Any]) -> ProbeFailure:
    if document["problem"] not in get_args(ProbeProblem) or not isinstance(document["reason"], str):
        raise ValueError("not a failure")
    if not isinstance(document["exit_code"], int | None):
        raise ValueError("not a failure")
    return ProbeFailure(cast(ProbeProblem, document["problem"]), document["reason"], document["exit_code"])
