"""What a command had from outside the catalog and its locks, as receipts record it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from envguard.table_reader import JsonValue


@dataclass(frozen=True, slots=True)
class HostTool:
    """A program of the host: the first line that it says to `--version`, and the SHA-256 of its file in hex."""

    version: str
    sha256: str

    def __str__(self) -> str:
        return f"{self.version or 'no version'}, sha256 {self.sha256[:16]}…"


@dataclass(frozen=True, slots=True)
class FromOutside:
    """Which variables a command was to have, and whether each was set; the host's programs by name; its network."""

    variables: Mapping[str, bool] = field(default_factory=dict)
    tools: Mapping[str, HostTool] = field(default_factory=dict)
    network: str = ""

    def as_json(self) -> dict[str, JsonValue]:
        """What there is, for a receipt."""
        tools: dict[str, JsonValue] = {
            name: {"version": tool.version, "sha256": tool.sha256} for name, tool in self.tools.items()
        }
        found: dict[str, JsonValue] = {"variables": dict(self.variables), "tools": tools, "network": self.network}
        return {name: value for name, value in found.items() if value}


NOTHING = FromOutside()
