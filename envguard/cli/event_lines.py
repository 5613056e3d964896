"""The line that a log keeps of an event."""

from __future__ import annotations

from envguard.cli.hiding import hidden
from envguard.cli.text import printable
from envguard.running.events import (
    Building,
    BuildProgress,
    Event,
    PassedBy,
    RunFailed,
    StepEnded,
    StepNote,
    StepProgress,
    StepStarted,
    TriedAgain,
    Waiting,
)


def line_for(event: Event) -> str:
    """The line that a log keeps of an event; empty for progress, of which there is too much."""
    match event:
        case Building(what=what, why=why):
            text = f"building {what}: {why}"
        case Waiting(environment=environment, holder=holder):
            text = f"waiting for {holder}, which builds {environment}"
        case PassedBy(what=what, why=why):
            text = f"passed by {what}: {why}"
        case StepStarted() | StepProgress() | BuildProgress():
            return ""
        case StepNote(step=step, text=said):
            text = f"{step}: {said}"
        case StepEnded(step=step, seconds=seconds, failures=failures, reused=reused):
            text = f"{step}: {'NO (' + ', '.join(failures) + ')' if failures else 'ok'}, "
            text += f"unchanged since {reused}" if reused else f"{seconds:.1f} s"
        case TriedAgain(step=step, gates=gates):
            text = f"{step}: the next best is tried. {' '.join(gates)}"
        case RunFailed(why=why):
            text = f"failed: {why}"
    return printable(hidden(text))
