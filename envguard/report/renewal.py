"""What a renewal found, for a reader and as JSON: the releases that were tried, and the matrix before and after."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from envguard.catalog.renewal import Line
from envguard.locks.platforms import Platform
from envguard.report.matrix import Matrix, matrix_of, matrix_text
from envguard.running.environments.proving import LockTrial
from envguard.running.environments.renewing import Recorded, Renewed, Tried

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class RenewalReport:
    """A renewal with what was known of the environment before and is after it.

    `written` are the files that were written, as the user may name them; none in a dry run.
    """

    renewed: Renewed
    before: Matrix
    after: Matrix
    written: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        """The environment for `--json`."""
        return {
            "name": self.renewed.environment.name,
            "leads_with": [
                {"package": line.package, "version": str(line.version), "edition": line.newest.name}
                for line in self.renewed.lines
            ],
            "releases": [_release(each) for each in self.renewed.tried],
            "before": self.before.as_json(),
            "after": self.after.as_json(),
            "written": list(self.written),
        }


def renewal_report(
    renewed: Renewed, states: tuple[Recorded, Recorded], platform: Platform, now: str, written: Sequence[str]
) -> RenewalReport:
    """The report of a renewal; `states` are those that `before_and_after` gave."""
    before, after = (matrix_of([state], platform, now) for state in states)
    return RenewalReport(renewed, before, after, tuple(written))


def renewals_json(reports: Sequence[RenewalReport], *, dry_run: bool) -> dict[str, object]:
    """The document for `--json`."""
    return {"schema": SCHEMA, "dry_run": dry_run, "environments": [each.as_json() for each in reports]}


def renewal_text(report: RenewalReport) -> str:
    """The report for a reader."""
    return "\n".join(_lines(report))


def _lines(report: RenewalReport) -> Iterator[str]:
    name = report.renewed.environment.name
    if not report.renewed.lines:
        yield f"{name}: no edition pins a release or has locks; `envguard lock {name}` makes them"
        return
    for line in report.renewed.lines:
        tried = [each for each in report.renewed.tried if each.beside == line.newest.name]
        if not tried:
            yield f"{name}: {line.package} {line.version} is the newest release{_known_bad(line)}"
        for each in tried:
            yield from _said_of(name, each)
    if not report.renewed.kept:
        return
    yield from ("", f"before, {matrix_text(report.before)}", "", f"after, {matrix_text(report.after)}", "")
    yield from (f"{path}: written" for path in report.written)


def _known_bad(line: Line) -> str:
    newer = [str(version) for version in line.known if version > line.version]
    return f" but for what is known not to work: {', '.join(newer)}" if newer else ""


def _said_of(name: str, tried: Tried) -> Iterator[str]:
    what = f"{name}: {tried.package} {tried.version}"
    if tried.replaces:
        yield f"{what}: new locks of edition {tried.beside}" if tried.is_kept else f"{what}: no new locks: {tried.why}"
    elif tried.works and tried.before:
        yield f"{what}: the new edition {tried.edition.name}, preferred to {tried.beside}"
    elif tried.works:
        yield f"{what}: the new edition {tried.edition.name}, after {tried.beside}: {tried.why}"
    elif tried.is_kept:
        yield f"{what}: known not to work, for the record as edition {tried.edition.name}: {tried.why}"
    else:
        yield f"{what}: no edition: {tried.why}"
    yield from (f"  on Python {each.python}: {_outcome(each)}" for each in tried.trials)


def _outcome(trial: LockTrial) -> str:
    if trial.proof is None:
        return f"not tried, {trial.why_not}"
    return "works" if trial.proof.works else trial.proof.result


def _release(tried: Tried) -> dict[str, object]:
    return {
        "package": tried.package,
        "version": str(tried.version),
        "edition": tried.edition.name,
        "requirements": list(tried.edition.requirements),
        "made_from": tried.beside,
        "state": "not kept" if not tried.is_kept else "works" if tried.works else "known-bad",
        "preferred": tried.before,
        "replaces_locks": tried.replaces,
        "why": tried.why,
        "trials": [
            {
                "python": each.python,
                "result": each.proof.result if each.proof else "not tried",
                "reason": each.proof.reason if each.proof else each.why_not,
            }
            for each in tried.trials
        ],
    }
