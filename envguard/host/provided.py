"""Which libraries wheels may leave to the system, and which of their modules are optional: data with sources."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from envguard.payload.contract import SystemLibraries, from_json
from envguard.toml import parse_toml

FILE = Path(__file__).with_name("provided.toml")


@cache
def system_libraries() -> SystemLibraries:
    """What `provided.toml` says."""
    document = parse_toml(FILE.read_text(encoding="utf-8"))
    return from_json(SystemLibraries, {key: value for key, value in document.items() if key != "schema"})
