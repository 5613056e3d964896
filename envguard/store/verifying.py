"""Verify a built environment: every byte against the manifest, every distribution against its RECORD."""

from __future__ import annotations

import contextlib
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from envguard.files import write_whole
from envguard.store.environments import OWN_FILES
from envguard.store.fingerprint import CONDEMNED, FINGERPRINT, MARKER, why_changed
from envguard.store.manifest import MANIFEST, Entry, Manifest, digest, parse_manifest, scan
from envguard.store.marker import read_marker
from envguard.store.records import audit_entries, listing_of

DefectKind = Literal[
    "marker", "manifest", "interpreter", "missing", "truncated", "changed", "mode", "unexpected", "touched",
    "not as recorded", "installed twice",
]  # fmt: skip

_DAMAGE: frozenset[DefectKind] = frozenset({"missing", "truncated", "changed", "mode", "unexpected", "not as recorded"})


@dataclass(frozen=True, slots=True)
class Defect:
    """Something wrong in an environment: the kind, the path below its folder, and the evidence."""

    problem: DefectKind
    path: str
    evidence: str

    def as_json(self) -> dict[str, str]:
        """The defect for `--json`."""
        return {"problem": self.problem, "path": self.path, "evidence": self.evidence}


def verify_environment(folder: Path) -> tuple[Defect, ...]:
    """Everything wrong in the environment in that folder; empty if it is as it was when it was proved."""
    try:
        marker = read_marker(folder)
        expected = _read_manifest(folder, marker.manifest)
    except FileNotFoundError as error:
        name = Path(str(error.filename)).name
        return (Defect("marker" if name == MARKER else "manifest", name, "it is missing"),)
    except (OSError, ValueError) as error:
        return (Defect("marker", MARKER, f"it is damaged: {error}"),)
    entries = scan(folder, skip=OWN_FILES)
    findings = [*_differences(expected, entries)]
    named = {finding.path for finding in findings}
    named |= {f"{marker.site_packages}/{each.path}" for each in marker.overlaps}
    findings += [each for each in _distributions(entries, marker.site_packages, folder) if each.path not in named]
    if not findings:
        # The content is intact, but the check of every start would still refuse it: report the same here.
        why = why_changed(str(folder), marker.python, marker.interpreter)
        findings += [Defect("touched", marker.python, why)] if why else []
    return tuple(findings)


def condemn(folder: Path, defects: Iterable[Defect]) -> None:
    """Make a damaged environment one that is not ready, even where the check of every start could not see why.

    What its distributions disagree about is no damage: another build would be the same. Does nothing in a store that
    cannot be written to.
    """
    if any(defect.problem in _DAMAGE for defect in defects):
        with contextlib.suppress(OSError):
            write_whole(folder / FINGERPRINT, CONDEMNED)


def _read_manifest(folder: Path, expected: str) -> dict[str, Entry]:
    content = (folder / MANIFEST).read_bytes()
    if digest(content) != expected:
        raise ValueError("the manifest does not have the recorded hash")
    return parse_manifest(content)


def _differences(expected: Manifest, found: Manifest) -> Iterator[Defect]:
    for name in sorted(expected.keys() | found.keys()):
        old, new = expected.get(name), found.get(name)
        if old is None:
            yield Defect("unexpected", name, "it was not there when the environment was proved")
        elif new is None:
            size = f" of {old.bytes:,} bytes" if old.kind == "file" else ""
            yield Defect("missing", name, f"a {old.kind}{size} was there")
        elif old.what_counts != new.what_counts:
            yield _difference(name, old, new)


def _difference(name: str, old: Entry, new: Entry) -> Defect:
    if old.kind != new.kind:
        return Defect("changed", name, f"it was a {old.kind} and is a {new.kind}")
    if new.bytes < old.bytes:
        return Defect("truncated", name, f"{new.bytes:,} of {old.bytes:,} bytes are left")
    if old.content != new.content or old.bytes != new.bytes:
        return Defect("changed", name, f"its content is {new.content[:16]}, not {old.content[:16]}")
    return Defect("mode", name, f"its mode is {stat.filemode(new.mode)[1:]}, not {stat.filemode(old.mode)[1:]}")


def _distributions(entries: Manifest, below: str, folder: Path) -> Iterator[Defect]:
    site_packages = folder / below
    for damage in audit_entries(listing_of(site_packages), entries, below, site_packages):
        yield Defect("not as recorded", f"{below}/{damage.path}", f"{damage.distribution} lists it; it is {damage.why}")
    yield from _installed_twice(sorted(site_packages.glob("*.dist-info")), below)


def _installed_twice(folders: Iterable[Path], below: str) -> Iterator[Defect]:
    seen: dict[str, str] = {}
    for each in folders:
        name = re.sub(r"[-_.]+", "-", each.name.partition("-")[0]).lower()
        if name in seen:
            yield Defect("installed twice", f"{below}/{each.name}", f"{seen[name]} is installed too")
        seen[name] = each.name
