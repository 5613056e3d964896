"""How old a proof is: what was true of an index, a system and an interpreter need not be true for ever."""

from __future__ import annotations

import datetime

OLD_AFTER = datetime.timedelta(days=90)
"""After which a proof is shown as old: `envguard renew` is meant to run weekly, so that one of this age means that a
dozen runs were missed, and indexes have deleted whole releases (nightlies) within as many months. It stays a proof."""


def is_old(date: str, now: str) -> bool:
    """Whether a proof of that date is old at `now`, both RFC 3339; so is one whose date cannot be read."""
    try:
        return _moment(now) - _moment(date) > OLD_AFTER
    except ValueError:
        return True


def age_text(date: str) -> str:
    """What is said of an old proof, whether it works or fails."""
    return f"tried on {date[:10]}, more than {OLD_AFTER.days} days ago"


def _moment(text: str) -> datetime.datetime:
    moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.timezone.utc)
