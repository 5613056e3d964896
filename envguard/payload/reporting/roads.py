"""The table of roads on a page: what was run there, what only rules say, and what nobody knows."""

from __future__ import annotations

from ..contract import Measures, QuantizeDocument, RoadLint, RoadReport
from .tables import NOTHING, TableOfFigures

BASIS = {"run": "run", "lint": "rules alone", "nothing": NOTHING}
TAKEN = {True: "✓ yes", False: "✗ no", None: "unknown"}
HEADS = ("road", "known by", "taken", "what was said", "lost", "landmarks", "scores", "time")


def table(document: QuantizeDocument) -> TableOfFigures | None:
    """Each road, its figures beside the original on that road; None where nothing is known of any."""
    rows = [_row(report) for report in document.roads if report.run or report.lint]
    caption = "The copy on each road, against the original there"
    return TableOfFigures(caption, HEADS, rows, 4) if rows else None


def unverified(document: QuantizeDocument) -> list[str]:
    """What nothing was run for, in sentences."""
    told = [document.on_arm]
    for report in document.roads:
        if report.basis == "lint":
            why = f": {report.run.reason}" if report.run else "."
            told.append(f"The road {report.road} was judged by rules alone{why}")
        elif report.basis == "nothing":
            why = f": {report.run.reason}" if report.run else "."
            told.append(f"The road {report.road} was not tried{why}")
    return told


def _row(report: RoadReport) -> tuple[str, ...]:
    run = report.run if report.basis == "run" else None
    refused_both = run is not None and run.original_taken is False
    taken = "nor the original" if refused_both else TAKEN[report.taken]
    time = f"{run.latency.ratio:.2f}" if run and run.latency else NOTHING
    return (report.road, BASIS[report.basis], taken, _said(report), *_figures(run.measures if run else None), time)


def _said(report: RoadReport) -> str:
    parts = []
    if report.run is not None:
        parts += [report.run.runtime, report.run.reason]
        if report.run.outputs:
            parts.append(f"lowest cosine of outputs: {min(each.cosine for each in report.run.outputs):.4f}")
    if report.lint is not None and report.lint.refused:
        parts.append(_refused(report.lint))
    return "; ".join(part for part in parts if part) or NOTHING


def _refused(lint: RoadLint) -> str:
    return "by the rules: " + "; ".join(f"{each.count} {each.operator}: {each.reason}" for each in lint.refused)


def _figures(measures: Measures | None) -> tuple[str, str, str]:
    if measures is None:
        return (NOTHING, NOTHING, NOTHING)
    shift, scores = measures.landmark_shift, measures.scores
    return (
        f"{measures.counts.lost} of {measures.counts.before}",
        f"{shift.px.mean:.2f} px" if shift else NOTHING,
        f"{scores.mean_abs:.4f}" if scores else NOTHING,
    )
