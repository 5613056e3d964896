"""An error as a user sees it: what, why, what to do next, and what is known of the tool's own words."""

from __future__ import annotations

import os
import sys
import traceback

import typer
from typer.exceptions import TyperException

from envguard.cli.hiding import hidden, hidden_document
from envguard.cli.printing import document_text
from envguard.cli.text import coloured, error_text, printable, wants_colour
from envguard.errors import BadInput, EnvguardError, Interrupted, NoEnvironment, StepFailed, unforeseen


def report_failure(error: BaseException, *, as_json: bool, debug: bool) -> int:
    """Show what ended a command, on standard error and where JSON was asked for as a document; give the exit code."""
    if isinstance(error, TyperException) and not str(error):  # a command without arguments has printed its help
        return BadInput.exit_code
    if debug:
        print(hidden("".join(traceback.format_exception(error))), end="", file=sys.stderr)
    told = _told(error)
    document = show_error(told)
    if as_json:
        print(document_text(hidden_document(document)))
    return told.exit_code


def _told(error: BaseException) -> EnvguardError:
    match error:
        case EnvguardError():
            return error
        case TyperException():
            return BadInput(error.format_message(), next_step="`envguard --help` lists what each command takes.")
        case KeyboardInterrupt() | typer.Abort():
            again = "Run the same command again: it keeps what is finished and does the rest."
            return Interrupted("Interrupted.", next_step=again)
        case Exception():
            return unforeseen(error)
    raise error


def show_error(error: EnvguardError) -> dict[str, object]:
    """Print an error on standard error; gives back its document for `--json`."""
    text = hidden(error_text(error))
    print(coloured(text) if wants_colour(sys.stderr, os.environ) else text, file=sys.stderr)
    if not isinstance(error, (StepFailed, NoEnvironment)):
        return {**error.as_json()}
    # Only an error that quotes a tool is worth reading the rules for.
    from envguard.cli.diagnosis.known_causes import diagnosis_of, text_under

    known = diagnosis_of(error)
    if known is None:
        return {**error.as_json()}
    print(printable(hidden(text_under(known))), file=sys.stderr)
    return {**error.as_json(), "hints": [hint.as_json() for hint in known.hints]}
