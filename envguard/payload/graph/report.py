"""What a graph pass says about its own work."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PassReport:
    """One pass over one model: how many things it changed, and whether outputs can differ because of it."""

    name: str
    changed: int
    what: str
    lossless: bool = True

    def as_json(self) -> dict[str, object]:
        """The same as plain JSON."""
        return {"pass": self.name, "changed": self.changed, "what": self.what, "lossless": self.lossless}
