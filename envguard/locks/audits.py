"""An audit: the record of what the native modules of a lock's wheels say of themselves, for a platform.

It counts less than a proof, because nothing was run.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Literal, get_args

from envguard.locks.proofs import read_records, write_records

AuditResult = Literal["good", "bad"]


@dataclass(frozen=True, slots=True)
class Audit:
    """How the wheels of a lock for a Python minor and a platform (`macos-arm64`) fared.

    `lock` is the lock's SHA-256, `date` RFC 3339 in UTC, `reader` the library that read `modules` native modules.
    `reasons` are the literal words of what keeps modules from loading: none if it is good. `notes` depend on the
    machine; `needs` is the oldest system that the modules were built for (`glibc 2.34`), or empty.
    """

    lock: str
    python: str
    platform: str
    date: str
    reader: str
    modules: int
    result: AuditResult
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    needs: str = ""

    @property
    def good(self) -> bool:
        """Whether nothing was found that keeps modules from loading."""
        return self.result == "good"

    def as_json(self) -> dict[str, object]:
        """The audit as plain JSON."""
        return {**asdict(self), "reasons": list(self.reasons), "notes": list(self.notes)}

    def too_new_for(self, libc: tuple[str, str] | None) -> str:
        """That modules need a newer C library than this one, by its name and version; empty if they do not."""
        name = self.needs.partition(" ")[0]
        if libc is None or name != libc[0] or not is_newer(self.needs, libc):
            return ""
        return f"its modules need {self.needs}, and this system has {libc[1]}"


def audit_of(audits: Iterable[Audit], *, digest: str, python: str, platform: str) -> Audit | None:
    """The record of exactly that lock on that Python minor and platform, if there is one."""
    fitting = (each for each in audits if (each.lock, each.python, each.platform) == (digest, python, platform))
    return next(fitting, None)


def with_audit(audits: Iterable[Audit], new: Audit) -> tuple[Audit, ...]:
    """The records, with the new one in place of the earlier one for its Python and platform."""
    kept = [each for each in audits if (each.python, each.platform) != (new.python, new.platform)]
    return tuple(sorted([*kept, new], key=_place))


def audits_path(lockfiles: Path, environment: str, edition: str) -> Path:
    """The path of an edition's audits: next to its proofs."""
    return lockfiles / environment / edition / "audits.json"


def write_audits(path: Path, audits: Sequence[Audit]) -> None:
    """Write the records in a stable order and form."""
    write_records(path, "audits", [each.as_json() for each in sorted(audits, key=_place)])


def read_audits(path: Path) -> tuple[Audit, ...]:
    """The records in a file, none if there is no file; raises BrokenData if `write_audits` did not write it."""
    return read_records(path, "audits", _from_json, command="audit")


def _from_json(record: object, where: str) -> Audit:
    if not isinstance(record, dict) or set(record) != {each.name for each in fields(Audit)}:
        raise ValueError(f"{where} does not have the fields of an audit")
    for name in ("lock", "python", "platform", "date", "reader", "needs"):
        _printable(record[name], f"{where}.{name}")
    for name in ("reasons", "notes"):
        if not isinstance(record[name], list):
            raise ValueError(f"{where}.{name} must be a list")
        for each in record[name]:
            _printable(each, f"{where}.{name}")
    if type(record["modules"]) is not int:
        raise ValueError(f"{where}.modules must be a whole number")
    if record["result"] not in get_args(AuditResult):
        raise ValueError(f"{where}.result must be one of: {', '.join(get_args(AuditResult))}")
    if (record["result"] == "good") != (record["reasons"] == []):
        raise ValueError(f"{where}.reasons must be given if, and only if, it is bad")
    return Audit(**{**record, "reasons": tuple(record["reasons"]), "notes": tuple(record["notes"])})


def is_newer(recorded: str, libc: tuple[str, str] | None) -> bool:
    """Whether the C library in a record (`glibc 2.34`) is newer than another of the same name."""
    return libc is not None and _numbers(recorded.partition(" ")[2]) > _numbers(libc[1])


def _printable(value: object, where: str) -> None:
    if not isinstance(value, str) or not value.isprintable():
        raise ValueError(f"{where} must be a text of printable characters")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def _place(audit: Audit) -> tuple[object, ...]:
    return (_numbers(audit.python), audit.platform)
