"""Turn pip's output into progress: how many packages it has come to."""

from __future__ import annotations

from dataclasses import dataclass

from envguard.backends.uv_words import Tell


@dataclass
class PipWords:
    """Reads pip's output line by line, which comes to each of `total` packages in turn; other lines are ignored."""

    tell: Tell
    verb: str
    total: int
    _come_to: int = 0

    def hear(self, line: str) -> None:
        """Take one line."""
        if line.startswith(("Collecting ", "Processing ")):
            self._come_to = min(self._come_to + 1, self.total)
            self.tell(f"{self.verb} with pip, package {self._come_to} of {self.total}", 0, 0)
        elif line.startswith("Installing collected packages"):
            self.tell(f"installing {self.total} package{'' if self.total == 1 else 's'}", 0, 0)
