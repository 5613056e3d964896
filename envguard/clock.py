"""The time as envguard writes it."""

from __future__ import annotations

import datetime


def utc_now() -> str:
    """The current time as RFC 3339 in UTC, to the second."""
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
