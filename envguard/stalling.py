"""End a download that has stalled: a server that sends a byte now and then keeps every read from timing out."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from envguard.errors import BadInput

VARIABLE = "ENVGUARD_STALL_SECONDS"
PATIENCE = 120.0
"""Seconds in which something must have come, unless the variable says otherwise."""

LEAST = 16 * 1024
"""Bytes that count as something: slower than 137 bytes a second is no download."""

LOOKS = 8
"""So often within that time it is looked."""


class Stall:
    """Whether a process was ended because it had stalled, and after how many seconds without progress."""

    def __init__(self, patience: float) -> None:
        self.patience = patience
        self.found = False


def patience_of(environ: Mapping[str, str]) -> float:
    """How many seconds a download may take over nothing; raises BadInput."""
    text = environ.get(VARIABLE) or str(PATIENCE)
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < threading.TIMEOUT_MAX:
        raise BadInput(
            f"{VARIABLE} is {text!r}, which is no number of seconds.", next_step=f"Leave it out, or set {VARIABLE}=300."
        )
    return seconds


@contextlib.contextmanager
def ended_if_stalled(folders: Sequence[Path], end: Callable[[], None], patience: float) -> Iterator[Stall]:
    """During the block, call `end` if what lies in the folders neither grows nor shrinks for so many seconds.

    That is what an installer does with all that it downloads, unpacks and compiles, whichever one it is.
    """
    stall, over = Stall(patience), threading.Event()

    def watch() -> None:
        last, since = 0, time.monotonic()
        while not over.wait(patience / LOOKS):  # most are done before the first look, which takes its time
            now = _size(folders)
            if abs(now - last) >= LEAST:
                last, since = now, time.monotonic()
            elif time.monotonic() - since >= patience:
                stall.found = True
                end()
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield stall
    finally:
        over.set()
        watcher.join()


def _size(folders: Sequence[Path]) -> int:
    """The bytes of all files below folders, as far as they can be seen: they come and go meanwhile."""
    total = 0
    pending = [str(folder) for folder in folders]
    while pending:
        with contextlib.suppress(OSError), os.scandir(pending.pop()) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_size
    return total
