"""A proof: the record that a lock, installed for real on a platform, passed its environment's check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True, slots=True)
class Proof:
    """What was installed where, what ran, when, and what it found.

    `lock` is the lock's SHA-256, `date` RFC 3339 in UTC, `seconds` the check's duration, `found` its values.
    """

    lock: str
    python: str
    platform: str
    libc: str
    date: str
    check: str
    seconds: float
    found: Mapping[str, object] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """The proof as plain JSON."""
        return asdict(self)
