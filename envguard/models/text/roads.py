"""What is known of a quantized file on each road: run there, judged by rules alone, or not tried."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from envguard.models.text.tables import NOTHING, Row, aligned, markdown_table, on_one_line, wrapped
from envguard.payload.contract import Measures, QuantizeDocument, RoadLint, RoadReport, RoadRun

HEADS = ("road", "known by", "taken", "lost", "landmarks", "scores", "time")
ANSWER = {True: "yes", False: "no", None: "unknown"}
BASIS = {"run": "run", "lint": "rules alone", "nothing": NOTHING}


def road_lines(document: QuantizeDocument) -> list[str]:
    """The table for a terminal and what its cells cannot say; nothing where nothing is known of any road."""
    if not _known(document.roads):
        return []
    lines = road_table("Roads, each against the original on that road:", document.roads)
    return ["", *lines, *wrapped(document.on_arm)]


def road_table(head: str, roads: Sequence[RoadReport]) -> list[str]:
    """The table for a terminal under its head, and what its cells cannot say."""
    return [head, *aligned(_rows(roads)), *(line for note in road_notes(roads) for line in wrapped(note))]


def road_markdown(document: QuantizeDocument) -> list[str]:
    """The same for Markdown."""
    if not _known(document.roads):
        return []
    return road_section(document.roads, document.on_arm)


def road_section(roads: Sequence[RoadReport], *more: str) -> list[str]:
    """The table for Markdown, and a list of what its cells cannot say and of `more`."""
    return [markdown_table(_rows(roads)), "\n".join(f"- {note}" for note in (*road_notes(roads), *more))]


def _known(roads: Sequence[RoadReport]) -> bool:
    return any(each.basis != "nothing" or each.run for each in roads)


def _rows(roads: Sequence[RoadReport]) -> list[Row]:
    return [HEADS, *map(_row, roads)]


def _row(report: RoadReport) -> Row:
    run = report.run if report.basis == "run" else None
    figures = _figures(run.measures if run else None, alone=run is not None and run.original_taken is None)
    time = f"{run.latency.ratio:.2f}" if run and run.latency else NOTHING
    refused = run is not None and run.original_taken is False
    taken = "nor the original" if refused else ANSWER[report.taken]
    return (report.road, BASIS[report.basis], taken, *figures, time)


def _figures(measures: Measures | None, *, alone: bool) -> tuple[str, str, str]:
    if measures is None:
        return (NOTHING, NOTHING, NOTHING)
    if alone:
        return (f"{measures.counts.after} found", NOTHING, NOTHING)
    shift, scores = measures.landmark_shift, measures.scores
    return (
        f"{measures.counts.lost} of {measures.counts.before}",
        f"{shift.px.mean:.2f} px" if shift else NOTHING,
        f"{scores.mean_abs:.4f}" if scores else NOTHING,
    )


def road_notes(roads: Sequence[RoadReport]) -> Iterator[str]:
    """What each road was run on, why one was not, and which operators rules refuse."""
    for report in roads:
        if report.run is not None:
            yield f"{report.road}: {_ran(report.run)}"
        elif report.basis == "nothing":
            yield f"{report.road}: not tried."
        if report.lint is not None and report.lint.refused:
            yield f"{report.road}: by the rules, {_refused(report.lint)}"


def _ran(run: RoadRun) -> str:
    where = run.runtime or "not run"
    if run.sample_size:
        where += f", {run.sample_size.images} images of {run.sample_size.pictures} pictures"
    if run.outputs:
        where += f"; lowest cosine of any output {min(output.cosine for output in run.outputs):.4f}"
    return f"{where}. {on_one_line(run.reason)}".removesuffix(" ").replace("..", ".")


def _refused(lint: RoadLint) -> str:
    return "; ".join(f"{each.count} {each.operator}: {each.reason}" for each in lint.refused)
