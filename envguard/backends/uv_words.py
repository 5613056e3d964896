"""Turn uv's output into progress: how much has been downloaded, and what uv is doing."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
MEGABYTE = 1_000_000

_DOWNLOADING = re.compile(r"Downloading (\S+)(?: \(download\))? \((\d+(?:\.\d+)?)(B|KiB|MiB|GiB)\)")
_DOWNLOADED = re.compile(r"\s*Downloaded (\S+)")
_STAGES = (
    (re.compile(r"Resolved (\d+) packages?\b"), "fetching {} package{}"),
    (re.compile(r"Prepared (\d+) packages?\b"), "installing {} package{}"),
    (re.compile(r"Installed (\d+) packages?\b"), "compiling {} package{}"),
    (re.compile(r"Bytecode compiled (\d+) files?\b"), "reading every file"),
)

# Called with what is going on, and how many bytes of how many are done; a total of 0 means unknown.
Tell = Callable[[str, float, float], None]


def tell_nobody(label: str, done: float, total: float) -> None:
    """Ignore the progress."""


@dataclass
class UvWords:
    """Reads uv's output line by line; lines that it does not know are ignored.

    uv announces each wheel of a megabyte or more when its download starts, with its size, and when it ends; smaller
    ones are not announced.
    """

    tell: Tell
    _sizes: dict[str, float] = field(default_factory=dict)
    _here: set[str] = field(default_factory=set)

    def hear(self, line: str) -> None:
        """Take one line."""
        if started := _DOWNLOADING.match(line):
            self._sizes[started[1]] = float(started[2]) * UNITS[started[3]]
            self._tell_downloads()
        elif ended := _DOWNLOADED.match(line):
            self._here.add(ended[1])
            self._tell_downloads()
        else:
            for pattern, label in _STAGES:
                if match := pattern.match(line):
                    self.tell(label.format(match[1], "" if match[1] == "1" else "s"), 0, 0)

    def _tell_downloads(self) -> None:
        done, total = sum(self._sizes.get(name, 0) for name in self._here), sum(self._sizes.values())
        self.tell(f"downloading, {done / MEGABYTE:.0f} of {total / MEGABYTE:.0f} MB", done, total)
