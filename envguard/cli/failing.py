"""An error as a user sees it: what, why, what to do next, and under it what is known of the tool's own words."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from envguard.cli.text import coloured, error_text, printable, wants_colour
from envguard.errors import EnvguardError, NoEnvironment, StepFailed

if TYPE_CHECKING:
    from envguard.doctor.diagnosing import Diagnosis


def show_error(error: EnvguardError) -> dict[str, object]:
    """Print an error on standard error; gives back its document for `--json`."""
    known = _diagnosis_of(error)
    text = error_text(error)
    print(coloured(text) if wants_colour(sys.stderr, os.environ) else text, file=sys.stderr)
    if known is None:
        return {**error.as_json()}
    from envguard.cli.diagnosis import text_under

    print(printable(text_under(known)), file=sys.stderr)
    return {**error.as_json(), "hints": [hint.as_json() for hint in known.hints]}


def _diagnosis_of(error: EnvguardError) -> Diagnosis | None:
    """What is known of the tool's words behind an error that is no user's; the rules are read only now."""
    if not isinstance(error, (StepFailed, NoEnvironment)):
        return None
    from envguard.cli.diagnosis import diagnosis_of

    return diagnosis_of(error)
