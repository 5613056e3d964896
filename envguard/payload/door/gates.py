"""What was judged: a measurement beside its limit, and what to say and do where it is not passed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional


@dataclass(frozen=True)
class Gate:
    """One thing that was judged.

    `name` is what messages and exit codes are known by, `what` the words for a reader, `subject` what it was measured
    on (a model, an output, a column). `measured` and `limit` are in `unit`: `px`, `share` (of one), `ratio`, or empty
    for a plain number; both are None where something either holds or does not. `detail` says the same as `measured` in
    the words of a count, such as `3 of 101`. `message` and `next` are for a gate that is not `passed`. One that is not
    `judged` could not be measured: it is not passed, but it has not failed either. Nor has one that is `waived`: the
    user wants the output all the same. `step` is the name of the step that judged, which the house adds. `models` are
    the names of those that it may be due to, the likeliest first; none where
    nothing tells.
    """

    name: str
    what: str
    passed: bool
    subject: str = ""
    measured: Optional[float] = None
    limit: Optional[float] = None
    unit: str = ""
    detail: str = ""
    message: str = ""
    next: str = ""
    step: str = ""
    judged: bool = True
    models: tuple[str, ...] = ()
    waived: bool = False

    @property
    def failed(self) -> bool:
        """Whether it was measured, not passed, and not waived."""
        return self.judged and not self.passed and not self.waived


@dataclass(frozen=True)
class StepFailure:
    """A gate that was not passed, in a run's document: the step, the gate, what happened, what the user can do.

    One that is not `judged` could not be measured.
    """

    step: str
    name: str
    message: str
    next: str
    judged: bool = True
