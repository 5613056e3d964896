"""What is known of a log, as text and as JSON: causes, the lines that say so, cures, and ways out of a conflict."""

from __future__ import annotations

import contextlib
import io
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from envguard.cli.hiding import hidden, hidden_document
from envguard.cli.printing import document_text
from envguard.cli.text import error_text, printable
from envguard.doctor.conflicts import Conflict
from envguard.doctor.diagnosing import Diagnosis, Hint, diagnose
from envguard.errors import EnvguardError, Interrupted, LostOutput, NoEnvironment, StepFailed
from envguard.missing_streams import open_missing_streams
from envguard.streams import printing_never_fails

if TYPE_CHECKING:
    from envguard.doctor.alternatives import Alternative  # reads the catalog, which takes longer than the answer

NOTHING_KNOWN = (
    "No known cause matches. `envguard report-bug` writes one file to attach to a bug report; add this log "
    "and the command you ran."
)
SHOWN_WAYS = 3


def tell(stream: BinaryIO, *, as_json: bool) -> int:
    """Print what is known of a log; gives back the exit code, 1 where nothing is."""
    diagnosis = diagnose(stream)
    ways = _ways_out(diagnosis.conflict) if diagnosis.conflict else ()
    if as_json:
        print(document_text(hidden_document(document(diagnosis, ways))))
    else:
        print(printable(hidden(diagnosis_text(diagnosis, ways) or NOTHING_KNOWN)))
        if diagnosis.cut:
            print(f"The log is very long ({diagnosis.lines:,} lines): it was read but for its middle.")
    return 0 if diagnosis.hints or diagnosis.conflict else 1


def tell_at_once(arguments: Sequence[str]) -> int | None:
    """`explain` without the command line's whole machinery, which takes longer than the answer.

    Gives back the exit code, or None for arguments that it leaves to the command line.
    """
    open_missing_streams()
    logs = [argument for argument in arguments if argument != "--json"]
    as_json = len(logs) < len(arguments)
    if len(logs) > 1 or any(log.startswith("-") and log != "-" for log in logs):
        return None
    try:
        stream = sys.stdin.buffer if logs in ([], ["-"]) else Path(logs[0]).open("rb")  # noqa: SIM115
    except OSError:
        return None
    try:
        with stream, printing_never_fails() as lost:
            code = tell(stream, as_json=as_json)
    except KeyboardInterrupt:
        return Interrupted.exit_code
    if not lost.why:
        return code
    with printing_never_fails():
        print(error_text(LostOutput(lost.why)), file=sys.stderr)
    return code or LostOutput.exit_code


def diagnosis_of(error: EnvguardError) -> Diagnosis | None:
    """What is known of the tool's words behind an error: those in its log, else those that it quotes.

    None for errors that quote no tool: what a user did wrong, and what is missing on the host.
    """
    chain = _chain(error)
    log = next((path for each in chain if (path := _log_named_by(each)) is not None), None)
    said = "\n".join(each.why for each in chain)
    if log is None and not (said and isinstance(error, (StepFailed, NoEnvironment))):
        return None
    found = diagnose(io.BytesIO(said.encode()))
    if log is not None and not found.hints:
        with contextlib.suppress(OSError), log.open("rb") as stream:
            found = diagnose(stream)
    if not found.hints and log is None and not isinstance(error, StepFailed):
        return None
    return found


def text_under(diagnosis: Diagnosis) -> str:
    """The diagnosis as it stands under an error's message."""
    if not diagnosis.hints:
        return f"  known: {NOTHING_KNOWN}"
    first = diagnosis.hints[0]
    return f"  known: {first.rule.identifier}: {first.cause}\n  cure:  {first.cure}"


def _chain(error: EnvguardError) -> list[EnvguardError]:
    chain: list[EnvguardError] = []
    each: BaseException | None = error
    while each is not None and each not in chain:
        if isinstance(each, EnvguardError):
            chain.append(each)
        each = each.__cause__
    return chain


def _log_named_by(error: EnvguardError) -> Path | None:
    found = re.search(r"The whole log: (.+)$", error.next_step, re.MULTILINE)
    return Path(found[1]) if found else None


def cause_of(said: str) -> str:
    """What a tool's words mean, in a sentence; empty where nothing is known."""
    hints = diagnose(io.BytesIO(said.encode())).hints
    return hints[0].cause if hints else ""


def document(diagnosis: Diagnosis, ways: tuple[Alternative, ...]) -> dict[str, object]:
    """The diagnosis and the ways out of its conflict for `--json`."""
    return {**diagnosis.as_json(), "ways_out": [way.as_json() for way in ways]}


def diagnosis_text(diagnosis: Diagnosis, ways: tuple[Alternative, ...]) -> str:
    """The diagnosis for a reader, the nearest cause first; empty where nothing is known."""
    parts = []
    if diagnosis.conflict is not None:
        parts.append(_conflict_text(diagnosis.conflict, ways))
    parts += [
        _hint_text(hint)
        for hint in diagnosis.hints
        if diagnosis.conflict is None or hint.rule.identifier != "resolution_impossible"
    ]
    return "\n\n".join(parts)


def _ways_out(conflict: Conflict) -> tuple[Alternative, ...]:
    # Most logs tell of no conflict; reading the catalog would take longer than the answer.
    from envguard.cli.diagnosis.ways_out import ways_for

    return ways_for(conflict)


def _hint_text(hint: Hint) -> str:
    how = "reproduced" if hint.rule.reproduced else "collected, not reproduced"
    upstream = f", {hint.rule.upstream}" if hint.rule.upstream else ""
    return "\n".join(
        (
            f"{hint.rule.identifier} ({how}{upstream})",
            f"  cause:    {hint.cause}",
            f"  evidence: line {hint.line}: {hint.text}",
            f"  cure:     {hint.cure}",
            *(f"  run:      {command}" for command in hint.commands),
        )
    )


def _conflict_text(conflict: Conflict, ways: tuple[Alternative, ...]) -> str:
    lines = [f"conflict over {conflict.package} (read from {conflict.tool}'s own words)"]
    for demand in conflict.demands:
        through = "".join(f", which {by} wants" for by in demand.through if by != "you")
        lines.append(f"  {demand.by} {'want' if demand.by == 'you' else 'wants'} {demand.requirement}{through}")
    lines.append("  No version meets both, so no environment can hold both.")
    for way in ways[:SHOWN_WAYS]:
        lines.append(
            f"  known-good: {way.environment} {way.edition} ({', '.join(way.requirements)}) keeps "
            f"{', '.join(way.keeps)}; proved on Python {', '.join(way.pythons)}"
        )
    if ways:
        lines.append(f"  cure:     `envguard create {ways[0].environment} --edition {ways[0].edition}`")
    else:
        lines.append("  cure:     make each its own environment in envguard.toml; the steps of a task hand files on")
    return "\n".join(lines)
