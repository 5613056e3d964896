"""A row for each model beside its original, what the figures are, and the verdict."""

from __future__ import annotations

from collections.abc import Sequence

from envguard.models.text.tables import NOTHING, Row, aligned, wrapped
from envguard.payload.contract import (
    UNVERIFIED,
    YES,
    ConvertDocument,
    ConvertedReport,
    ModelReport,
    QuantizeDocument,
    StepSeconds,
    Timing,
)

Report = ModelReport | ConvertedReport

LEAST_PEAK = 1e-4
"""An output that never gets above this on the inputs tried, as a confidence on made-up pictures, has no direction."""

SAME, BUSY = "same", "busy"

ALLOW = "Compare the models yourself; --allow-unverified writes the output all the same."
HEADS = ("model", "kB", "int8", "1 thread", "2 threads", "load", "cosine", "SNR")


def model_lines(models: Sequence[Report]) -> list[str]:
    """The table for a terminal, and what its figures are."""
    return [*aligned(model_rows(models)), *wrapped(legend(models))]


def model_rows(models: Sequence[Report]) -> list[Row]:
    """The table with its head: sizes, times, and the worst output of each model."""
    return [HEADS, *map(_row, models)]


def legend(models: Sequence[Report]) -> str:
    """What the table's figures are, and which inputs they are from."""
    tried: dict[str, list[str]] = {}
    for model in models:
        if model.inputs:
            tried.setdefault(f"{model.inputs_tried} {model.inputs}", []).append(model.name)
    inputs = [f"{kind} inputs" + (f" ({', '.join(names)})" if len(tried) > 1 else "") for kind, names in tried.items()]
    text = f"Times are ratios to the original's, {SAME!r} if the noise is larger than the difference."
    if any(time and time.too_busy for model in models for time in _times(model)):
        text += (
            f" {BUSY!r}: other jobs took the processor nine times out of ten; run again with --fresh when it is idle."
        )
    if inputs:
        text += f" Lowest cosine and SNR of any output on {', '.join(inputs)}."
    return text


def reused_lines(steps: Sequence[StepSeconds]) -> list[str]:
    """Which steps were not run again, and of which date what they found or measured is."""
    reused = [f"{step.name} ({step.reused})" for step in steps if step.reused]
    return [f"  unchanged, so not run again: {', '.join(reused)}; --fresh runs all"] if reused else []


def verdict_lines(document: QuantizeDocument | ConvertDocument) -> list[str]:
    """The output, or that there is none and why."""
    output = document.output
    if output is None:
        lines = [f"verdict: {document.verdict}. Nothing was written."]
    else:
        written = f"{output.path}: {output.bytes:,} bytes, {document.ratio or 0:.2f} of the original"
        allowed = "" if document.verdict == YES else ", written because of --allow-unverified"
        lines = [f"verdict: {document.verdict}. {written}{allowed}"]
    for failure in document.failures:
        lines.append(f"  {failure.name} ({failure.step}): {failure.message}")
        if failure.next:
            lines.append(f"    next: {failure.next}")
    lines += reused_lines(document.steps)
    lines += [f"  waived by --allow-slower: {gate.message}" for gate in document.gates if gate.waived]
    if document.verdict == UNVERIFIED and output is None:
        lines.append(f"  next: {ALLOW}")
    return lines


def _row(model: Report) -> Row:
    heard = [output for output in model.outputs if output.peak >= LEAST_PEAK and output.unread_from != 0]
    noises = [output.snr_db for output in heard if output.snr_db is not None]
    return (
        model.name,
        f"{model.bytes_in / 1000:,.0f}",
        f"{model.bytes_out / 1000:,.0f}",
        *map(_ratio, _times(model)),
        f"{min(output.cosine for output in heard):.4f}" if heard else NOTHING,
        f"{min(noises):.0f} dB" if noises else NOTHING,
    )


def _times(model: Report) -> tuple[Timing | None, Timing | None, Timing | None]:
    return model.latency, model.two_threads, model.load


def _ratio(measured: Timing | None) -> str:
    """Time to the original's, or that no difference could be told, or nothing at all."""
    if not measured:
        return NOTHING
    if measured.too_busy:
        return BUSY
    return f"{measured.ratio:.2f}" if measured.differs else SAME
