"""Whether a copy still ranks as the original does: the best of an output's scores, and the five best."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FIVE = 5
LEAST_SCORES = 2
LEAST_FOR_FIVE = 11
SUM = 0.02
"""How far a row's probabilities may add up to something else than 1."""

SEEN = 0.1
"""A detector's position whose scores all stay below this shows nothing, so which of them is best says nothing."""

OFFSET = 2.0
"""Spread of the columns' means over that within the columns from which an output is no list of scores: coordinates and
measurements differ by column first. Coordinates of landmarks come to 5 and more, logits to less than 1.
"""

UNIT_LENGTH = 0.01
"""Spread of the rows' lengths over their mean below which they are embeddings, brought to one length."""


@dataclass(frozen=True)
class Ranking:
    """Shares of the answers that changed: the best score, and the best score that is not among the copy's five best.

    `noise` is the share of best scores that noise on the inputs changes; `certain` says that the output is the
    probabilities of classes, which add up to 1. Others only look like scores, and noise is their measure.
    """

    answers: int
    top1: float
    top5: float
    noise: float
    certain: bool

    @property
    def worst(self) -> float:
        """The larger of the two shares."""
        return max(self.top1, self.top5)

    def allowed(self, limit: float) -> float:
        """The limit for `worst`: as given for probabilities; for others twice what noise does, or one answer."""
        return limit if self.certain else max(limit, 2 * self.noise, 1 / max(self.answers, 1))


def ranked(
    exact: np.ndarray, copied: np.ndarray, noisy: np.ndarray, axis: int | None, *, scores: bool
) -> Ranking | None:
    """How the ranking along the axis changed, for stacked outputs `[rows, ...]`; None where they are no scores.

    Where the graph makes `scores`, they are the columns that stay within 0..1, at least two of them, also beside others
    such as boxes. Otherwise they are columns that add up to 1; or the answers of a classifier without SOFTMAX: one
    list per row whose columns are alike.
    """
    if axis is None:
        return None
    before, after, moved = (
        np.moveaxis(each, axis, -1).reshape(-1, each.shape[axis]) for each in (exact, copied, noisy)
    )
    bounded = (before.min(0) >= 0) & (before.max(0) <= 1 + SUM)
    adds_up = bool(bounded.all() and (np.abs(before.sum(1) - 1) < SUM).all())
    if (scores or adds_up) and bounded.sum() >= LEAST_SCORES:
        before, after, moved = before[:, bounded], after[:, bounded], moved[:, bounded]
        told = before.max(1) >= (0 if adds_up else SEEN)
        return _compared(before[told], after[told], moved[told], certain=adds_up) if told.any() else None
    one_list = exact.size == exact.shape[0] * exact.shape[axis]
    return _compared(before, after, moved, certain=False) if one_list and _alike(before) else None


def labelled(exact: np.ndarray, copied: np.ndarray, noisy: np.ndarray, *, best_first: bool) -> Ranking:
    """How answers that are themselves labels or indices changed; of those that are listed `best_first`, the first."""
    if best_first:
        exact, copied, noisy = exact[..., :1], copied[..., :1], noisy[..., :1]
    return Ranking(
        answers=exact.size,
        top1=float(np.mean(exact != copied)),
        top5=0.0,
        noise=float(np.mean(exact != noisy)),
        certain=False,
    )


def _alike(rows: np.ndarray) -> bool:
    """Whether the columns differ no more from each other than they vary by themselves, and rows are no unit vectors."""
    within, lengths = float(np.sqrt(np.mean(rows.var(0)))), np.linalg.norm(rows, axis=1)
    if rows.shape[1] < LEAST_SCORES or within == 0 or lengths.std() < UNIT_LENGTH * lengths.mean():
        return False
    return float(rows.mean(0).std()) < OFFSET * within


def _compared(before: np.ndarray, after: np.ndarray, noisy: np.ndarray, *, certain: bool) -> Ranking:
    best = before.argmax(1)
    five = np.argsort(-after, 1)[:, :FIVE]
    lost = ~(five == best[:, None]).any(1) if before.shape[1] >= LEAST_FOR_FIVE else np.zeros(len(best), bool)
    return Ranking(
        answers=len(best),
        top1=float(np.mean(after.argmax(1) != best)),
        top5=float(np.mean(lost)),
        noise=float(np.mean(noisy.argmax(1) != best)),
        certain=certain,
    )
