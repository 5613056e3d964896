"""What is known of each edition on each Python here: works, fails and why, or unknown. Nothing is guessed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from envguard.catalog.model import Edition, Environment
from envguard.locks.lockfile import Lock
from envguard.locks.proofs import Platform, Proof, proof_of
from envguard.planning import LockKey, unresolvable

State = Literal["known-good", "known-bad", "unknown"]
SCHEMA = 1
WORDS: Mapping[str, str] = {"known-good": "works", "known-bad": "fails", "unknown": "unknown"}


def matrix_document(
    environments: Sequence[tuple[Environment, Mapping[LockKey, Lock], Mapping[str, Sequence[Proof]]]],
    platform: Platform,
) -> dict[str, Any]:
    """One cell per edition and Python of each environment, given with its locks and its proofs by edition."""
    return {
        "schema": SCHEMA,
        "platform": platform.name,
        "libc": platform.libc,
        "environments": [
            {
                "name": environment.name,
                "pythons": pythons_of(environment),
                "cells": [
                    _cell(environment, edition, python, locks.get((edition.name, python)), proofs, platform)
                    for edition in environment.editions
                    for python in sorted(edition.pythons, key=_by_minor)
                ],
            }
            for environment, locks, proofs in environments
        ],
    }


def matrix_text(document: Mapping[str, Any]) -> str:
    """The same for a reader: a table per environment, and below it each reason in the tool's own words."""
    libc = f" with {document['libc']}" if document["libc"] else ""
    lines = [f"on {document['platform']}{libc}"]
    for environment in document["environments"]:
        lines += ["", *_table(environment)]
    return "\n".join(lines)


def pythons_of(environment: Environment) -> list[str]:
    """Every minor that one of its editions is for, oldest first."""
    return sorted({python for edition in environment.editions for python in edition.pythons}, key=_by_minor)


def _cell(
    environment: Environment,
    edition: Edition,
    python: str,
    lock: Lock | None,
    proofs: Mapping[str, Sequence[Proof]],
    platform: Platform,
) -> dict[str, Any]:
    recorded = proofs.get(edition.name, ())
    if lock is None:
        proof = unresolvable(environment, edition, python, recorded)
    else:
        proof = proof_of(recorded, digest=lock.digest, python=python, platform=platform)
    return {
        "edition": edition.name,
        "offered": edition.offered,
        "python": python,
        "lock": None if lock is None else lock.digest,
        "state": _state(proof),
        "reason": _reason(proof, lock, python, recorded),
        "proof": None if proof is None else _provenance(environment, edition, proof),
    }


def _state(proof: Proof | None) -> State:
    if proof is None:
        return "unknown"
    return "known-good" if proof.works else "known-bad"


def _reason(proof: Proof | None, lock: Lock | None, python: str, recorded: Sequence[Proof]) -> str:
    """Why it is not known to work; empty if it is."""
    if proof is not None:
        return "" if proof.works else f"{proof.result}: {proof.reason}"
    if lock is None:
        return "it has no lock, and nobody has recorded why"
    if any(each.minor == python for each in recorded):
        return "what is recorded is of another lock or platform"
    return "nobody has recorded a trial"


def _provenance(environment: Environment, edition: Edition, proof: Proof) -> dict[str, object]:
    return {"file": f"lockfiles/{environment.name}/{edition.name}/proofs.json", **proof.as_json()}


def _table(environment: Mapping[str, Any]) -> list[str]:
    pythons = environment["pythons"]
    by_place = {(cell["edition"], cell["python"]): cell for cell in environment["cells"]}
    editions = list(dict.fromkeys(cell["edition"] for cell in environment["cells"]))
    first = max(len(name) for name in (environment["name"], *editions))
    head = "  ".join([environment["name"].ljust(first), *(python.ljust(7) for python in pythons)])
    rows = []
    for edition in editions:
        cells = [by_place.get((edition, python)) for python in pythons]
        words = [WORDS[cell["state"]] if cell else "–" for cell in cells]
        rows.append("  ".join([edition.ljust(first), *(word.ljust(7) for word in words)]).rstrip())
    return [head.rstrip(), *rows, *_notes(environment["cells"])]


def _notes(cells: Sequence[Mapping[str, Any]]) -> list[str]:
    """Each reason once, with the editions and Pythons that it is about."""
    about: dict[tuple[str, str], list[str]] = {}
    for cell in cells:
        if cell["reason"]:
            about.setdefault((cell["edition"], cell["reason"]), []).append(cell["python"])
    return [f"  {edition} on {', '.join(pythons)}: {reason}" for (edition, reason), pythons in about.items()]


def _by_minor(python: str) -> tuple[int, ...]:
    return tuple(int(part) for part in python.split("."))
