"""The plots of a report: size, time, accuracy, scores, recipes; each from the run's own figures, or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from ..contract import EveryScore, ImageFigures, ModelReport, ModelRounds, Timing, VerifyDetails
from .figures import BAD, FAINT, INK, NOISE, ORIGINAL, QUANTIZED, drawing, inline

ROW = 0.5
"""Inches for one row with two bars or strips."""

MOST_ROWS = 16
LEAST_SHARE = 0.01
"""Kinds of operators below this share of all the time are left to the profile."""

MOST_LETTERS = 26
BAR = 0.36
LEAST_PEAK = 1e-4
INTERRUPTED = 1.5
"""As in the benchmark: a call this many times as long as the fastest was interrupted."""

WIDEST = 3.0
"""Strips end at this many of the original's medians; what lies beyond is counted at the edge."""


def cut(name: str) -> str:
    """A name that leaves room for the plot: its start and end."""
    keep = MOST_LETTERS - 1
    return name if len(name) <= MOST_LETTERS else f"{name[: keep - keep // 2]}…{name[len(name) - keep // 2 :]}"


def sizes(models: Sequence[ModelReport]) -> Markup | None:
    """Kilobytes of each model before and after."""
    if not models:
        return None
    shown = list(models)[:MOST_ROWS]
    pairs = [(model.bytes_in / 1_000, model.bytes_out / 1_000) for model in shown]
    says = "; ".join(f"{model.name} {one:,.0f} to {two:,.0f} kB" for model, (one, two) in zip(shown, pairs))  # noqa: B905
    return _paired_bars("size", [model.name for model in shown], pairs, "kB", f"Size: {says}", "{:,.0f}")


def kinds_of_operators(models: Sequence[ModelReport]) -> Markup | None:
    """Milliseconds by kind of operator, over all models together."""
    profiles = [model.profile for model in models if model.profile]
    if not profiles:
        return None
    spent: dict[str, list[float]] = {}
    for profile in profiles:
        for which, side in enumerate((profile.original, profile.quantized)):
            for kind in side.kinds:
                spent.setdefault(kind.kind, [0.0, 0.0])[which] += kind.ms
    least = LEAST_SHARE * max(sum(pair[which] for pair in spent.values()) for which in (0, 1))
    rows = [each for each in sorted(spent.items(), key=lambda each: -max(each[1])) if max(each[1]) >= least]
    says = "; ".join(f"{kind} {one:.2f} to {two:.2f} ms" for kind, (one, two) in rows)
    names = [kind for kind, _ in rows]
    return _paired_bars("kinds", names, [(one, two) for _, (one, two) in rows], "ms", f"Time by kind: {says}", "{:.2f}")


def _paired_bars(
    name: str, labels: Sequence[str], pairs: Sequence[tuple[float, float]], unit: str, says: str, form: str
) -> Markup:
    places = np.arange(len(pairs))
    with drawing(0.9 + ROW * len(pairs)) as (figure, axes):
        for which, (colour, label) in enumerate(((ORIGINAL, "original"), (QUANTIZED, "quantized"))):
            values = [pair[which] for pair in pairs]
            bars = axes.barh(places + (which - 0.5) * (BAR + 0.04), values, BAR, color=colour, label=label)
            axes.bar_label(bars, [form.format(value) for value in values], padding=3, fontsize=8, color=INK)
        axes.set_yticks(places, [cut(label) for label in labels])
        axes.invert_yaxis()
        axes.margins(x=0.14)
        axes.set_xlabel(unit)
        _legend(figure, axes)
        return inline(figure, name, says)


def model_times(models: Sequence[ModelReport], samples: Mapping[str, ModelRounds]) -> Markup | None:
    """Every round's time of each model on one thread, in medians of the original's."""
    rows = [
        (model.name, np.array(samples[model.name].latency), model.latency)
        for model in models
        if model.latency and model.name in samples and samples[model.name].latency
    ][:MOST_ROWS]
    if not rows:
        return None
    with drawing(0.95 + 0.75 * len(rows)) as (figure, axes):
        for place, (_, times, summary) in enumerate(rows):
            _rounds(axes, place, times, summary)
        axes.set_yticks(range(len(rows)), [cut(name) for name, _, _ in rows])
        axes.set_ylim(len(rows) - 0.45, -0.55)
        axes.set_xlim(left=0)
        axes.set_xlabel("time of a round, in medians of the original's")
        for colour, label in ((ORIGINAL, "original"), (QUANTIZED, "quantized")):
            axes.plot([], [], "o", ms=5, color=colour, label=label)
        axes.plot([], [], color=INK, lw=2, label="median")
        _legend(figure, axes, 3)
        says = "; ".join(
            f"{name} {one.original_ms:.2f} to {one.quantized_ms:.2f} ms, {one.verdict}" for name, _, one in rows
        )
        return inline(figure, "times", f"Time of every round, one thread. Medians: {says}")


def _rounds(axes: Any, place: int, times: np.ndarray, summary: Timing) -> None:
    """A model's two strips of dots, pale where a round was interrupted, each with its median."""
    relative = times / summary.original_ms
    undisturbed = (times < INTERRUPTED * times.min(axis=0)).all(axis=1)
    sides = ((ORIGINAL, summary.original_ms), (QUANTIZED, summary.quantized_ms))
    for which, (colour, median) in enumerate(sides):
        height = place + (which - 0.5) * 0.42
        for kept, strength in ((undisturbed, 0.6), (~undisturbed, 0.15)):
            xs = np.minimum(relative[kept, which], WIDEST)
            ys = height + 0.28 * (_spread(len(xs)) - 0.5)
            axes.plot(xs, ys, ".", ms=4, color=colour, alpha=strength, mew=0)
        middle = median / summary.original_ms
        axes.plot([middle, middle], [height - 0.19, height + 0.19], color=INK, lw=2)


def _spread(count: int) -> np.ndarray:
    """Even heights from 0 to 1 in an order that looks like none, and is the same every time."""
    golden = (5**0.5 - 1) / 2
    spread: np.ndarray = np.modf(np.arange(count) * golden)[0]
    return spread


def calls(images: Sequence[ImageFigures]) -> Markup | None:
    """Share of the images that a whole call in MediaPipe was done with, over milliseconds."""
    times = np.array([image.ms for image in images])
    if len(times) < 2:
        return None
    with drawing(2.6) as (figure, axes):
        axes.grid(axis="y")
        for which, (colour, label) in enumerate(((ORIGINAL, "original"), (QUANTIZED, "quantized"))):
            ordered = np.sort(times[:, which])
            axes.step(ordered, 100 * np.arange(1, len(ordered) + 1) / len(ordered), color=colour, label=label, lw=2)
            axes.axvline(float(np.median(ordered)), color=colour, lw=1, ls=":")
        axes.set_xlim(left=0, right=float(np.percentile(times, 99) * 1.1))
        axes.set_ylim(0, 102)
        axes.set_xlabel("ms for a whole IMAGE call")
        axes.set_ylabel("% of images")
        _legend(figure, axes)
        low, middle, high = (np.percentile(times, part, axis=0) for part in (5, 50, 95))
        says = (
            f"Whole calls: median {middle[0]:.1f} ms before and {middle[1]:.1f} after; from the 5th to the 95th"
            f" percentile {low[0]:.1f} to {high[0]:.1f} before and {low[1]:.1f} to {high[1]:.1f} after"
        )
        return inline(figure, "calls", says)


def shifts(details: VerifyDetails, limit: float | None) -> Markup | None:
    """How many detections moved by how much, by quantizing and by invisible noise."""
    moved, noise = [value for image in details.images for value in image.px], details.noise_px
    if not moved:
        return None
    top = float(np.percentile([*moved, *noise], 99)) * 1.05 or 1.0
    edges = np.linspace(0, max(top, limit or 0.0), 25)
    with drawing(2.6) as (figure, axes):
        axes.grid(axis="y")
        for values, colour, label, filled in (
            (moved, QUANTIZED, "quantizing", True),
            (noise, NOISE, "noise of one grey level", False),
        ):
            if not values:
                continue
            weights = np.full(len(values), 100 / len(values))
            kind = "stepfilled" if filled else "step"
            clipped = np.minimum(values, edges[-1])
            axes.hist(clipped, edges, weights=weights, histtype=kind, color=colour, label=label, lw=2)
            axes.axvline(float(np.mean(values)), color=colour if not filled else INK, lw=1.5, ls=":")
        if limit is not None:
            axes.axvline(limit, color=BAD, lw=1.5, label="allowed mean")
        axes.set_xlim(0, edges[-1])
        axes.set_xlabel(f"mean landmark shift of a detection, px of a {details.crop_side}-pixel crop")
        axes.set_ylabel("% of detections")
        _legend(figure, axes, 3)
        says = f"Landmark shift: mean {np.mean(moved):.2f} pixels by quantizing"
        says += f", {np.mean(noise):.2f} by noise of one grey level on the picture" if noise else ""
        return inline(figure, "shifts", says)


def outputs(models: Sequence[ModelReport]) -> Markup | None:
    """Signal to noise of every output, by quantizing and by noise on the input: more is better."""
    rows = [
        (f"{model.name}: {output.name}", output.snr_db, output.noise_snr_db)
        for model in models
        for output in model.outputs
        if output.peak >= LEAST_PEAK and output.snr_db is not None
    ][:MOST_ROWS]
    if not rows:
        return None
    with drawing(0.95 + 0.32 * len(rows)) as (figure, axes):
        for place, (_, ours, noise) in enumerate(rows):
            if noise is not None:
                axes.plot([ours, noise], [place, place], color=FAINT, lw=1)
                axes.plot(noise, place, "D", color=NOISE, ms=6)
            axes.plot(ours, place, "o", color=QUANTIZED, ms=8)
        axes.plot([], [], "o", color=QUANTIZED, ms=7, label="quantizing")
        axes.plot([], [], "D", color=NOISE, ms=5, label="noise of one grey level")
        axes.set_yticks(range(len(rows)), [cut(name) for name, _, _ in rows])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlabel("signal to noise, dB (more is better)")
        _legend(figure, axes)
        says = "; ".join(f"{name} {ours:.0f} dB" for name, ours, _ in rows)
        return inline(figure, "outputs", f"Signal to noise of each output: {says}")


def layers(model: ModelReport, number: int) -> Markup | None:
    """Signal to noise of each layer's weights, in the order of running."""
    known = [(place, each.snr_db) for place, each in enumerate(model.layers, 1) if each.snr_db is not None]
    if len(known) < 2:
        return None
    worst, least = min(known, key=lambda each: each[1])
    with drawing(2.4) as (figure, axes):
        axes.grid(axis="y")
        places, noises = zip(*known)  # noqa: B905 - Python 3.9
        axes.vlines(places, least - 3, noises, color=QUANTIZED, lw=1.5, alpha=0.5)
        axes.plot(places, noises, "o", color=QUANTIZED, ms=5)
        axes.annotate(str(worst), (worst, least), (6, -4), textcoords="offset points", fontsize=9)
        axes.set_ylim(bottom=least - 3)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.set_xlabel("int8 layer, in the order of running")
        axes.set_ylabel("weights' SNR, dB")
        says = f"Signal to noise of the weights of {len(known)} layers of {model.name}: {least:.0f} to"
        says += f" {max(noises):.0f} dB, least in layer {worst}, {model.layers[worst - 1].operator}"
        return inline(figure, f"layers{number}", says)


def scores(found: EveryScore | None) -> Markup | None:
    """The scores that changed most: mean absolute difference, and what noise makes."""
    if found is None:
        return None
    order = np.argsort(found.mean_abs)[::-1][:MOST_ROWS]
    noise = found.noise_mean_abs
    with drawing(0.95 + 0.26 * len(order)) as (figure, axes):
        values = [found.mean_abs[place] for place in order]
        axes.barh(range(len(order)), values, 0.62, color=QUANTIZED, label="quantizing")
        if noise:
            floor = [noise[place] for place in order]
            axes.plot(floor, range(len(order)), "D", color=NOISE, ms=6, label="noise of one grey level")
        axes.set_yticks(range(len(order)), [cut(found.names[place]) for place in order])
        axes.set_ylim(len(order) - 0.4, -0.6)
        axes.set_xlim(left=0)
        axes.set_xlabel("mean absolute difference, of 1")
        _legend(figure, axes)
        says = "; ".join(f"{found.names[place]} {found.mean_abs[place]:.4f}" for place in order[:5])
        return inline(figure, "scores", f"{found.name.capitalize()} that changed most: {says}")


def candidates(model: ModelReport, number: int) -> Markup | None:
    """Bytes and error of every recipe that was tried for a model; numbers are those of the table's rows."""
    tried = [(place, each) for place, each in enumerate(model.candidates, 1) if each.error is not None]
    if len(tried) < 2:
        return None
    with drawing(2.6) as (figure, axes):
        axes.grid(axis="y")
        for place, each in tried:
            taken = each.outcome == "taken"
            x, y = each.bytes / 1_000, each.error
            axes.plot(x, y, "o" if taken else "s", ms=9 if taken else 6, color=QUANTIZED if taken else FAINT)
            axes.annotate(str(place), (x, y), (6, 5), textcoords="offset points", fontsize=9)
        axes.plot([], [], "o", ms=8, color=QUANTIZED, label="taken")
        axes.plot([], [], "s", ms=6, color=FAINT, label="not taken")
        axes.margins(0.12)
        axes.set_xlabel("kB")
        axes.set_ylabel("error")
        _legend(figure, axes)
        says = "; ".join(f"{each.name} {each.bytes / 1_000:,.0f} kB, error {each.error:.2f}" for _, each in tried)
        return inline(figure, f"recipes{number}", f"Recipes tried for {model.name}: {says}")


def _legend(figure: Any, axes: Any, columns: int = 2) -> None:
    """Above the plot, from the figure's left edge: names of rows take space that a legend can use."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=columns, borderaxespad=0.2, handlelength=1.2)
