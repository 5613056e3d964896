"""What is known of each edition on each Python: works, fails and why, audited, or not tried; nothing is guessed."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from envguard.catalog.model import Edition, Environment
from envguard.locks.age import age_text, is_old
from envguard.locks.audits import Audit, audit_of
from envguard.locks.lockfile import Lock
from envguard.locks.platforms import Platform
from envguard.locks.proofs import Proof, proof_of
from envguard.planning import LockKey, stale_for, unresolvable

CellState = Literal["known-good", "emulated", "known-bad", "audited", "audited-bad", "unknown"]
Recorded = tuple[Environment, Mapping[LockKey, Lock], Mapping[str, Sequence[Proof]]]
"""An environment with its locks, and its proofs by edition."""

SCHEMA = 1
WORDS: Mapping[CellState, str] = {
    "known-good": "works",
    "emulated": "emulated",
    "known-bad": "fails",
    "audited": "audited",
    "audited-bad": "audited, bad",
    "unknown": "not tried",
}
Audits = Mapping[str, Mapping[str, Sequence[Audit]]]
"""By environment and edition."""
NO_AUDITS: Audits = {}
OLD = ", old"


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """One edition on one Python; `reason` says why it is not known to work on a real machine, and is empty if it is.

    What is known has been so for long if its proof is `old`. An `audit` counts where there is no proof.
    """

    edition: Edition
    python: str
    lock: Lock | None
    proof: Proof | None
    reason: str
    old: bool = False
    audit: Audit | None = None

    @property
    def state(self) -> CellState:
        """What the proof says if there is one, or else the audit."""
        if self.proof is None:
            return "unknown" if self.audit is None else "audited" if self.audit.good else "audited-bad"
        if not self.proof.works:
            return "known-bad"
        return "emulated" if self.proof.emulated else "known-good"

    def as_json(self, environment: str) -> dict[str, object]:
        """The cell for `--json`."""
        file = f"lockfiles/{environment}/{self.edition.name}/proofs.json"
        return {
            "edition": self.edition.name,
            "offered": self.edition.offered,
            "python": self.python,
            "lock": None if self.lock is None else self.lock.digest,
            "built_from_source": [] if self.lock is None else list(self.lock.built),
            "state": self.state,
            "reason": self.reason,
            "old": self.old,
            "proof": None if self.proof is None else {"file": file, **self.proof.as_json()},
            "audit": None if self.audit is None else self.audit.as_json(),
        }


@dataclass(frozen=True, slots=True)
class EnvironmentMatrix:
    """The cells of an environment, edition by edition."""

    environment: Environment
    cells: tuple[MatrixCell, ...]

    @property
    def pythons(self) -> list[str]:
        """The minors that at least one edition is for, oldest first."""
        return sorted({python for edition in self.environment.editions for python in edition.pythons}, key=_by_minor)

    def cell(self, edition: str, python: str) -> MatrixCell | None:
        """The cell at that place; none if the edition is not for that Python."""
        found = (each for each in self.cells if (each.edition.name, each.python) == (edition, python))
        return next(found, None)


@dataclass(frozen=True, slots=True)
class Matrix:
    """What is known of several environments on one platform."""

    platform: Platform
    environments: tuple[EnvironmentMatrix, ...]

    @property
    def where(self) -> str:
        """The platform in words."""
        return str(self.platform)

    def as_json(self) -> dict[str, object]:
        """The document for `--json`."""
        return {
            "schema": SCHEMA,
            "platform": self.platform.name,
            "libc": self.platform.libc,
            "os_version": self.platform.os_version,
            "environments": [
                {
                    "name": each.environment.name,
                    "pythons": each.pythons,
                    "cells": [cell.as_json(each.environment.name) for cell in each.cells],
                }
                for each in self.environments
            ],
        }


def matrix_of(environments: Sequence[Recorded], platform: Platform, now: str, audits: Audits = NO_AUDITS) -> Matrix:
    """One cell for each edition of each environment and each Python that it is for, as it is `now` (RFC 3339)."""

    def cell(recorded: Recorded, edition: Edition, python: str) -> MatrixCell:
        environment, locks, proofs = recorded
        found = _cell(environment, edition, python, locks.get((edition.name, python)), proofs, platform)
        return _audited(_aged(found, now), audits.get(environment.name, {}).get(edition.name, ()), platform)

    return Matrix(
        platform,
        tuple(
            EnvironmentMatrix(
                recorded[0],
                tuple(
                    cell(recorded, edition, python)
                    for edition in recorded[0].editions
                    for python in sorted(edition.pythons, key=_by_minor)
                ),
            )
            for recorded in environments
        ),
    )


def matrix_text(matrix: Matrix, width: int | None = None) -> str:
    """The matrix for a reader: a table per environment, and below it each reason in the tool's own words.

    No line has more than `width` columns, if there is one, unless a single word has.
    """
    lines = [f"on {matrix.where}"]
    for each in matrix.environments:
        lines += ["", *_table(each, width), *(_folded(note, width) for note in _notes(each))]
    return "\n".join(lines)


def _folded(line: str, width: int | None) -> str:
    if width is None:
        return line
    return textwrap.fill(line, width, subsequent_indent="    ", break_on_hyphens=False, break_long_words=False)


def _aged(cell: MatrixCell, now: str) -> MatrixCell:
    return cell if cell.proof is None else replace(cell, old=is_old(cell.proof.date, now))


def _audited(cell: MatrixCell, audits: Sequence[Audit], platform: Platform) -> MatrixCell:
    """The cell with the audit of its lock, where nothing was tried; audits are of glibc's Linux."""
    if cell.proof is not None or cell.lock is None or platform.libc == "musl":
        return cell
    audit = audit_of(audits, digest=cell.lock.digest, python=cell.python, platform=platform.name)
    if audit is None:
        return cell
    said = f"nothing wrong in {audit.modules} native modules" if audit.good else "; ".join(audit.reasons)
    needs = f", which ask for {audit.needs}" if audit.good and audit.needs else ""
    return replace(cell, audit=audit, reason=f"audited, not tried: {said}{needs}")


def _cell(
    environment: Environment,
    edition: Edition,
    python: str,
    lock: Lock | None,
    proofs: Mapping[str, Sequence[Proof]],
    platform: Platform,
) -> MatrixCell:
    recorded = proofs.get(edition.name, ())
    stale = stale_for(environment, edition, python, lock)
    if stale:
        return MatrixCell(edition, python, lock, None, f"its lock is stale: {stale}")
    if lock is None:
        proof = unresolvable(environment, edition, python, recorded)
    else:
        proof = proof_of(recorded, digest=lock.digest, python=python, platform=platform)
    return MatrixCell(edition, python, lock, proof, _reason(proof, lock, python, recorded))


def _reason(proof: Proof | None, lock: Lock | None, python: str, recorded: Sequence[Proof]) -> str:
    if proof is not None:
        if proof.works:
            return f"proved under emulation by {proof.emulated}" if proof.emulated else ""
        return f"{proof.result}: {proof.reason}"
    if lock is None:
        return "it has no lock, and no failure is recorded"
    if any(each.minor == python for each in recorded):
        return "the recorded trials are of another lock or platform"
    return "no trial is recorded"


def _table(matrix: EnvironmentMatrix, width: int | None) -> list[str]:
    """The rows; Pythons that a line has no room for follow in a table below."""
    editions = matrix.environment.editions
    first = [matrix.environment.name, *(edition.name for edition in editions)]
    parts: list[list[list[str]]] = [[first]]
    for python in matrix.pythons:
        cells = [matrix.cell(edition.name, python) for edition in editions]
        column = [python, *(_word(cell) if cell else "–" for cell in cells)]
        if width is not None and len(parts[-1]) > 1 and _columns([*parts[-1], column]) > width:
            parts.append([first])
        parts[-1].append(column)
    return [line for part in parts for line in _rows(part)]


def _columns(part: Sequence[Sequence[str]]) -> int:
    return sum(max(map(len, column)) + 2 for column in part) - 2


def _rows(part: Sequence[Sequence[str]]) -> list[str]:
    padded = [[text.ljust(max(map(len, column))) for text in column] for column in part]
    return ["  ".join(row).rstrip() for row in zip(*padded, strict=True)]


def _word(cell: MatrixCell) -> str:
    return WORDS[cell.state] + (OLD if cell.old else "")


def _notes(matrix: EnvironmentMatrix) -> list[str]:
    """Each reason and each age once, with the editions and Pythons that it is about, and what to do about age."""
    about: dict[tuple[str, str], list[str]] = {}
    for cell in matrix.cells:
        age = age_text(cell.proof.date) if cell.proof is not None and cell.old else ""
        for said in filter(None, (cell.reason, age)):
            about.setdefault((cell.edition.name, said), []).append(cell.python)
    for cell in matrix.cells:
        if cell.lock is not None and cell.lock.built:
            said = f"built from source: {', '.join(cell.lock.built)}"
            about.setdefault((cell.edition.name, said), []).append(cell.python)
    notes = [f"  {edition} on {', '.join(pythons)}: {said}" for (edition, said), pythons in about.items()]
    if any(cell.old for cell in matrix.cells):
        name = matrix.environment.name
        notes.append(f"  `envguard prove {name} --all-editions --all-pythons` tries again what is old")
    if not any(cell.lock or cell.proof for cell in matrix.cells):
        notes.append(f"  it has no lock yet; `envguard lock {matrix.environment.name}` makes them")
    return notes


def _by_minor(python: str) -> tuple[int, ...]:
    return tuple(int(part) for part in python.split("."))
