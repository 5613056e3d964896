"""Judge every output of a copy, and every column of it, beside what noise on the inputs does to the original."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..contract import Gate
from ..gates import GateDeclaration, Limits, judge, unjudged
from . import numerics
from .accuracy import HELD_OUT, Inputs, Output
from .columns import Columns

NOT_FINITE = GateDeclaration("not-finite", "Output is finite", "{subject} has NaN or infinities.")
SILENT_ZEROS = GateDeclaration(
    "silent-zeros", "Output is not all zeros", "{subject} is all zeros where the original's is not."
)
SHAPE_CHANGED = GateDeclaration(
    "shape-changed", "Output has the original's shape", "{subject} has another shape than the original's."
)
_INACCURATE = "{subject} has a cosine similarity of {measured:.3f} on {tried} {kind} inputs; the limit is {limit:g}."
INACCURATE = GateDeclaration(
    "inaccurate",
    "Cosine similarity on made-up inputs",
    _INACCURATE,
    option="min_cosine",
    default=0.7,
    at_least=True,
)
REALLY_INACCURATE = GateDeclaration(
    "inaccurate",
    "Cosine similarity on held-out inputs",
    _INACCURATE,
    option="min_real_cosine",
    default=0.95,
    at_least=True,
)
"""Of MediaPipe's three face models with weights rounded to 8 bits as they are, every output stays above 0.98 on real
inputs; with 5 bits each model has one below 0.94. Made-up inputs cannot be judged so strictly: what is confidence there
is near zero, and the same 8 bits bring one output of the landmark model down to 0.84.
"""

KEPT_SPREAD = 0.02
"""Share of its spread below which a column is dead. Of the fourteen models in MediaPipe's wheel, quantized by the
default, the column that loses most keeps 0.14 on made-up pictures, and a presence near zero at that; what a tensor's
common scale drowns keeps 0.
"""

COLUMN_DEAD = GateDeclaration(
    "column-dead",
    "Every column varies with the input",
    "{subject}{place} hardly anything of its variation is left, {measured:.3f} of the original's{others}.",
)

FEW_ANSWERS, FOLD = 5, 4
"""Distinct answers below which a column has collapsed, if the original has `FOLD` times as many or more. A regression
around an offset came down to three at an SNR of 59 dB; with box coordinates of a YOLO head that int8 serves well (an
SNR of 52 dB, one scale for 640 pixels), seven are left in the column that varies least.
"""

ANSWERS_COLLAPSED = GateDeclaration(
    "answers-collapsed",
    "Answers stay distinct",
    "{subject}{place} of the original's {before} distinct answers, {measured:.0f} are left{others}.",
)

_COLUMN = "{subject}{place} a correlation of {measured:.3f} on {tried} {kind} inputs; the limit is {limit:g}{others}."
COLUMN_INACCURATE = GateDeclaration(
    "column-inaccurate",
    "Lowest correlation of any column on made-up inputs",
    _COLUMN,
    option="min_column_correlation",
    default=0.1,
    at_least=True,
)
"""Made-up pictures show nobody. What MediaPipe's landmark models say of them is extrapolated from next to nothing, and
the weights' int8 alone brings columns of their world coordinates down to 0.47 (hands) and 0.33 (poses), and to 0.11
where noise comes to 0.59. So these inputs tell only columns that have nothing to do with the original's any more.
"""
COLUMN_REALLY_INACCURATE = GateDeclaration(
    "column-inaccurate",
    "Lowest correlation of any column on held-out inputs",
    _COLUMN,
    option="min_real_column_correlation",
    default=0.9,
    at_least=True,
)
COLUMN_OFF = GateDeclaration(
    "column-inaccurate",
    "Largest error of any column over its spread, on held-out inputs",
    "{subject}{place} an error of {measured:.2f} of its own spread on {tried} held-out inputs; the limit is"
    " {limit:g}{others}.",
    option="max_real_column_error",
    default=0.75,
)

HIDING = 0.7
"""Correlation of an original's column with itself below which noise that nobody sees hides what the copy does."""

CONSTANT_SHIFT = 0.05
"""Share of its value by which a column that is always the same may move."""

CONSTANT_CHANGED = GateDeclaration(
    "constant-changed",
    "Columns that never vary stay what they are",
    "{subject}{place} the original's answer is {before:.4g} to every input, and the copy's is {measured:.4g}"
    " off{others}.",
)

RANKING_CHANGED = GateDeclaration(
    "ranking-changed",
    "Answers whose best score is another",
    "{subject} has another best score for {detail} {kind} inputs ({measured:.1%}); the limit is {limit:.1%}.",
    unit="share",
    option="max_changed_answers",
    default=0.02,
)
"""One answer in fifty: weights rounded to int8 change fewer of a trained classifier's."""

NO_RANKING = 0.1
"""Share of best answers that noise changes from which an output that only looks like scores is not taken for them: with
MediaPipe's pose landmarks, whose columns are alike on made-up pictures, it comes to 0.23 and 0.29.
"""

GATES = (
    NOT_FINITE,
    SILENT_ZEROS,
    SHAPE_CHANGED,
    INACCURATE,
    REALLY_INACCURATE,
    COLUMN_DEAD,
    ANSWERS_COLLAPSED,
    COLUMN_INACCURATE,
    COLUMN_REALLY_INACCURATE,
    COLUMN_OFF,
    CONSTANT_CHANGED,
    RANKING_CHANGED,
)


@dataclass(frozen=True)
class Case:
    """One output with what it was tried on, and the limits."""

    subject: str
    inputs: Inputs
    limits: Limits

    @property
    def real(self) -> bool:
        """Whether the inputs are real ones."""
        return self.inputs.kind == HELD_OUT

    @property
    def words(self) -> Mapping[str, object]:
        """What messages say of the inputs."""
        return {"tried": len(self.inputs.batches), "kind": self.inputs.kind}


def subject(output: str, model: str) -> str:
    """What gates call an output of a model."""
    return f"Output {output!r} of {model}"


def judged(model: str, inputs: Inputs, outputs: Sequence[Output], limits: Limits) -> Iterator[Gate]:
    """Every gate of every output."""
    for output in outputs:
        case = Case(subject(output.by_quantizing.name, model), inputs, limits)
        yield judge(SHAPE_CHANGED, passed=output.same_shape, subject=case.subject)
        if output.same_shape:
            yield from _judged(output, case)


def _judged(output: Output, case: Case) -> Iterator[Gate]:
    difference = output.by_quantizing
    yield judge(NOT_FINITE, passed=difference.finite, subject=case.subject)
    if not difference.finite or output.unread_from == 0:
        return
    yield judge(SILENT_ZEROS, passed=not difference.silent, subject=case.subject)
    if difference.silent:
        return
    yield from _judged_whole(output, case)
    for columns in output.columns:
        yield from _judged_columns(columns, case)
    if output.ranking is not None:
        yield from _judged_ranking(output, case)


def _judged_whole(output: Output, case: Case) -> Iterator[Gate]:
    """The output's cosine, where it tells anything: there is something to hear, and noise disturbs it less.

    What is no face is one with a score of 1 as well as 0.002, and a single such picture decides the cosine: of
    MediaPipe's face landmarks one output comes to 0.52 on 32 made-up pictures. There, scores are judged by column.
    """
    gate = REALLY_INACCURATE if case.real else INACCURATE
    limit, cosine, noise = case.limits[gate.option], output.by_quantizing.cosine, output.by_noise.cosine
    if output.scores and output.columns and not case.real:
        return
    if limit is None or output.by_quantizing.peak <= numerics.AUDIBLE or (not case.real and noise < limit):
        return
    passed = cosine >= limit or (case.real and cosine >= noise)
    yield judge(gate, cosine, limit, passed=passed, subject=case.subject, words=case.words)


def _judged_columns(columns: Columns, case: Case) -> Iterator[Gate]:
    among = columns.judged
    if among.any():
        worse = columns.relative_error > columns.noise_error
        dead = among & worse & (columns.kept_spread < KEPT_SPREAD)
        yield _worst(COLUMN_DEAD, columns, Figures(columns.kept_spread, among, dead), case)
        few = (columns.answers < FEW_ANSWERS) & (columns.answers * FOLD <= columns.original_answers)
        collapsed = among & worse & few & ~dead
        yield _worst(ANSWERS_COLLAPSED, columns, Figures(columns.answers, among, collapsed), case)
        yield from _judged_correlation(columns, case)
    still = ~among
    if still.any():
        allowed = np.maximum(CONSTANT_SHIFT * columns.peak, numerics.AUDIBLE)
        moved = still & (columns.shift > np.maximum(allowed, columns.noise_shift))
        yield _worst(CONSTANT_CHANGED, columns, Figures(columns.shift, still, moved, highest=True), case)


def _judged_correlation(columns: Columns, case: Case) -> Iterator[Gate]:
    gate = COLUMN_REALLY_INACCURATE if case.real else COLUMN_INACCURATE
    limit, among = case.limits[gate.option], columns.judged
    if limit is None:
        return
    worse = among & (columns.relative_error > columns.noise_error)
    told = among & ~(worse & (columns.noise_correlation < max(limit, HIDING)))
    if not told.any():
        yield unjudged(gate, HIDDEN, case.subject)
        return
    low = told & worse & (columns.correlation < limit)
    off = case.limits[COLUMN_OFF.option] if case.real else None
    far = np.zeros_like(low) if off is None else told & worse & (columns.relative_error > off)
    if far.any() and not low.any():
        yield _worst(COLUMN_OFF, columns, Figures(columns.relative_error, told, far, off, highest=True), case)
    else:
        yield _worst(gate, columns, Figures(columns.correlation, told, low, limit), case)


HIDDEN = "{subject} could not be judged: noise that nobody sees moves each of its columns as much as other inputs do."


def _judged_ranking(output: Output, case: Case) -> Iterator[Gate]:
    """Whether the best answers are the same; for what only looks like scores, where noise leaves nearly all alone."""
    limit, ranking = case.limits[RANKING_CHANGED.option], output.ranking
    if limit is None or ranking is None or (not ranking.certain and ranking.noise > NO_RANKING):
        return
    detail = f"{round(ranking.worst * ranking.answers)} of {ranking.answers}"
    words = {**case.words, "detail": detail}
    yield judge(RANKING_CHANGED, ranking.worst, ranking.allowed(limit), subject=case.subject, words=words)


@dataclass(frozen=True)
class Figures:
    """One figure of each column: which columns are judged by it, which failed, and whether the highest is worst."""

    each: np.ndarray
    among: np.ndarray
    failed: np.ndarray
    limit: float | None = None
    highest: bool = False


def _worst(gate: GateDeclaration, columns: Columns, figures: Figures, case: Case) -> Gate:
    """The gate for the column with the worst figure: of those that failed, or else of all that were judged."""
    passed = not figures.failed.any()
    ordered = -figures.each if figures.highest else figures.each
    column = columns.least(ordered, figures.among if passed else figures.failed)
    rest = int(figures.failed.sum()) - 1
    words = {
        **case.words,
        "place": f", column {column + 1} of {len(columns)}:" if len(columns) > 1 else ":",
        "others": f" (and {rest} more columns)" if rest > 0 else "",
        "before": columns.peak[column] if gate is CONSTANT_CHANGED else columns.original_answers[column],
    }
    measured = float(figures.each[column])
    return judge(gate, measured, figures.limit, passed=passed, subject=case.subject, words=words)
