"""What happens during a run, as values; whoever receives them decides how they look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Building:
    """An environment is being built, and why it was not there."""

    environment: str
    what: str
    why: str


@dataclass(frozen=True, slots=True)
class BuildProgress:
    """What the building of an environment is at; `done` of `total` in bytes, a total of 0 where that is not known."""

    environment: str
    label: str
    done: float = 0
    total: float = 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """Another process builds the environment; `holder` says which."""

    environment: str
    holder: str


@dataclass(frozen=True, slots=True)
class PassedBy:
    """A candidate failed its check, so the next one is tried."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A step starts in an environment."""

    step: str
    environment: str


@dataclass(frozen=True, slots=True)
class StepProgress:
    """The named part of a step is `done` of `total`, in units of its own."""

    step: str
    label: str
    done: float
    total: float


@dataclass(frozen=True, slots=True)
class StepNote:
    """A step says something that a user wants to read once."""

    step: str
    text: str


@dataclass(frozen=True, slots=True)
class StepEnded:
    """A step ended after `seconds`; `failures` are the names of the gates that it did not pass.

    One that was `reused` was not run: this is what it came to at that date.
    """

    step: str
    seconds: float
    failures: tuple[str, ...]
    reused: str = ""


@dataclass(frozen=True, slots=True)
class TriedAgain:
    """Gates refused what a step made, so it is asked for its next best; `gates` are their messages."""

    step: str
    gates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunFailed:
    """One of several runs ended without a verdict; `why` is the error's sentence."""

    why: str


Event = (
    Building
    | BuildProgress
    | Waiting
    | PassedBy
    | StepStarted
    | StepProgress
    | StepNote
    | StepEnded
    | TriedAgain
    | RunFailed
)
Receiver = Callable[[Event], None]
