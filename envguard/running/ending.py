"""How a step's process ended, and the last lines that it printed."""

from __future__ import annotations

import contextlib
import signal
from pathlib import Path

from envguard.backends.resources import ran_out
from envguard.errors import StepFailed
from envguard.system.exit_codes import crash

LOG_TAIL_BYTES = 4000
LOG_TAIL_LINES = 12
EXIT_CODE, TIMEOUT = "exit-code", "timeout"
LOG_END_BYTES = 64_000
"""In which what a library said of memory is looked for: tracebacks may follow."""


class StepEndedBadly(StepFailed):
    """A step's process ended in another way than well; where a task makes nothing, that is its verdict.

    `gate` names what it did not pass: `exit-code`, or `timeout`. It ran so many `seconds`.
    """

    def __init__(self, what: str, *, why: str, next_step: str, gate: str, seconds: float) -> None:
        super().__init__(what, why=why, next_step=next_step)
        self.gate = gate
        self.seconds = seconds


def took_too_long(step: str, timeout: float, why: str, log: Path) -> StepEndedBadly:
    """That a step was ended because it took longer than its `timeout` in seconds."""
    return StepEndedBadly(
        f"The step {step!r} took longer than the {timeout:g} seconds that it may, and was ended.",
        why=why,
        next_step=f"Make it faster, or raise its timeout in envguard.toml. The whole log: {log}",
        gate=TIMEOUT,
        seconds=timeout,
    )


def ending(code: int) -> str:
    """How a process ended, in words: its exit code, or the signal that ended it."""
    if code >= 0:
        cause = crash(code)
        return f"ended by {cause} (exit code {code:#x})" if cause else f"ended with exit code {code}"
    with contextlib.suppress(ValueError):
        return f"was ended by {signal.Signals(-code).name}"
    return f"was ended by signal {-code}"


def refuse_if_out_of_memory(step: str, code: int, most: int, log: Path, *, given: bool) -> None:
    """Raise StepFailed if a step ended because it wanted more than `most` bytes of memory; `given` by the user?"""
    if not ran_out(code, _end_of(log, LOG_END_BYTES)):
        return
    raise StepFailed(
        f"The step {step!r} needed more memory than the {_in_words(most)} that it may have.",
        why=f"{_reason(given)}; the whole log: {log}",
        next_step=f"If you trust the file and have the memory, set ENVGUARD_MEMORY={-(-2 * most >> 30)}GiB "
        "and run the same command again.",
    )


def _reason(given: bool) -> str:
    if given:
        return "ENVGUARD_MEMORY allows no more"
    return "the limit goes by the size of its inputs, so that a file made to exhaust memory takes no more"


def _in_words(size: int) -> str:
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.0f} MiB"


def log_tail(log: Path) -> str:
    """The last lines of what a step printed."""
    lines = _end_of(log, LOG_TAIL_BYTES).strip().splitlines()
    return "\n".join(lines[-LOG_TAIL_LINES:]) or "it printed nothing"


def _end_of(log: Path, size: int) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - size))
        return file.read().decode("utf-8", "replace")
