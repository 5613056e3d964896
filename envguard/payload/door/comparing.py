"""What the step `compare` finds: outputs, times and weights of the quantized models beside the originals'."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Optional

from .timing import Profile, Timing


@dataclass(frozen=True)
class ColumnDifference:
    """One column of an output, along its channels, over all inputs and positions, after its own mean and spread.

    `relative_error` is the root mean square of the error over the spread of the original's answers; `answers` counts
    the distinct ones. What begins with `noise` is of the original with noisy inputs.
    """

    column: int
    of: int
    correlation: float
    relative_error: float
    answers: int
    original_answers: int
    noise_correlation: float
    noise_relative_error: float


@dataclass(frozen=True)
class OutputDifference:
    """One output over all inputs tried; the fields that begin with `noise` are of the original with a noisy input.

    `snr_db` is 10 log10 of signal power over error power, None where there is no error; `peak` is the original's
    largest magnitude. An output is `silent` if it is all zeros where the original's is not. `worst_column` is the one
    of its `columns` with the lowest correlation, None where none of them varies. `changed_answers` is the share of
    inputs for which another of the output's scores is the highest, None where they are no scores. `unread_from` is the
    first column that the program which the model is for does not read: no figure is of those from there on. With 0 it
    reads nothing of the output, whose figures fail no gate.
    """

    name: str
    cosine: float
    max_abs_error: float
    max_relative_error: float
    peak: float
    snr_db: Optional[float]
    finite: bool
    silent: bool
    noise_cosine: float
    noise_snr_db: Optional[float]
    noise_max_abs_error: float
    columns: int = 0
    worst_column: Optional[ColumnDifference] = None
    changed_answers: Optional[float] = None
    unread_from: Optional[int] = None

    @property
    def title(self) -> str:
        """The output's name, and which part of it the figures are of or whether they count, for a reader."""
        if self.unread_from is None:
            return self.name
        return (
            f"{self.name}, columns 1 to {self.unread_from}" if self.unread_from else f"{self.name}, which is not read"
        )


@dataclass(frozen=True)
class LayerError:
    """An operator with int8 weights, by its place in the order of running; SNR of its weights to the original's."""

    place: int
    operator: str
    shape: tuple[int, ...]
    weights: int
    snr_db: Optional[float]


@dataclass(frozen=True)
class ComparedModel:
    """A quantized model beside its original; where it did not run, `reason` says why and the rest is empty.

    `latency` is on one thread, `two_threads` on two; `load` is loading and `first` the first call after it.
    """

    name: str
    ran: bool = False
    reason: str = ""
    inputs: Optional[str] = None
    inputs_tried: int = 0
    outputs: tuple[OutputDifference, ...] = ()
    layers: tuple[LayerError, ...] = ()
    latency: Optional[Timing] = None
    two_threads: Optional[Timing] = None
    two_threads_reason: str = ""
    load: Optional[Timing] = None
    first: Optional[Timing] = None
    profile: Optional[Profile] = None
    profile_reason: str = ""


@dataclass(frozen=True)
class CompareFindings:
    """Every model that both files have, and how many processors the times were measured on."""

    models: tuple[ComparedModel, ...]
    processors: int
    step: Literal["compare"] = "compare"
