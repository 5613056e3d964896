"""Turn what the store and installers report into events."""

from __future__ import annotations

from dataclasses import dataclass

from envguard.running.events import Building, BuildProgress, Receiver, Waiting


@dataclass(frozen=True, slots=True)
class Announcer:
    """Says of an environment that `what` is being built for it, and how far that is."""

    environment: str
    what: str
    receive: Receiver

    def building(self, _environment: str, why: str) -> None:
        """It is about to be built."""
        self.receive(Building(self.environment, self.what, why))

    def part(self, what: str, why: str) -> None:
        """Something else is about to be built for it."""
        self.receive(Building(self.environment, what, why))

    def progress(self, label: str, done: float = 0, total: float = 0) -> None:
        """How far it is."""
        self.receive(BuildProgress(self.environment, label, done, total))

    def waiting(self, environment: str, holder: str) -> None:
        """Another process builds it."""
        self.receive(Waiting(environment, holder))
