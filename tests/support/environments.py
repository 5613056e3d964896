"""Real environments for tests: planned, built and proved by envguard itself, in a store that is kept."""

from __future__ import annotations

import os
from pathlib import Path

from envguard.catalog import builtin_catalog
from envguard.running.environments.preparing import Workshop
from envguard.running.events import Event


class Events(list[Event]):
    """Keeps what happened."""

    def __call__(self, event: Event) -> None:
        self.append(event)


def workshop(home: Path, environ: dict[str, str] | None = None) -> Workshop:
    """A workshop on this host with the built-in catalog; its `receive` is an `Events`."""
    return Workshop(
        home=home,
        user_home=Path.home(),
        environ=dict(os.environ) if environ is None else environ,
        catalog=builtin_catalog(),
        receive=Events(),
    )
