"""A proof is old after 90 days, whatever its form of a date, and it is old where nobody can tell."""

from __future__ import annotations

import pytest

from envguard.locks.age import is_old

NOW = "2026-11-26T12:00:00Z"


@pytest.mark.parametrize(
    ("date", "old"),
    [
        ("2026-11-26T11:59:59Z", False),
        ("2026-08-28T12:00:00Z", False),
        ("2026-08-28T11:59:59Z", True),
        ("2026-08-28T11:59:59+00:00", True),
        ("2026-08-28T13:00:00+02:00", True),
        ("2026-08-27", True),
        ("2027-01-01T00:00:00Z", False),
        ("lately", True),
        ("", True),
    ],
)
def test_the_age_of_a_proof(date: str, old: bool) -> None:
    assert is_old(date, NOW) is old
