"""Matplotlib figures as SVG that stands in a page: the page's colours, text as text, no date, no address."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
from markupsafe import Markup, escape
from matplotlib.figure import Figure

INK, FAINT, GRID, ORIGINAL, QUANTIZED, NOISE, BAD = (f"#01020{number}" for number in range(1, 8))
"""Stand-ins that no plot would choose; each becomes a variable of the page's style sheet, light or dark."""

VARIABLES = {
    INK: "var(--ink)",
    FAINT: "var(--faint)",
    GRID: "var(--line)",
    ORIGINAL: "var(--original)",
    QUANTIZED: "var(--quantized)",
    NOISE: "var(--noise)",
    BAD: "var(--bad)",
}

WIDTH = 4.9
"""In inches of 72 points: legible at the width of a phone, two beside each other on a desk."""

STYLE: dict[str, object] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "envguard",
    "text.parse_math": False,  # a model may be called $x$
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": GRID,
    "axes.labelcolor": INK,
    "axes.facecolor": "none",
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "x",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "figure.facecolor": "none",
    "grid.color": GRID,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "xtick.color": INK,
    "ytick.color": INK,
    "ytick.left": False,
}

_HEAD = re.compile(r"<\?xml.*?<svg ", re.DOTALL)
_METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)
_STYLE = re.compile(r"\s*<defs>\s*<style.*?</style>\s*</defs>", re.DOTALL)
_SIZE = re.compile(r'<svg ([^>]*?)(?: ?(?:width|height)="[^"]*pt")([^>]*?)(?: ?(?:width|height)="[^"]*pt")')
_ID = re.compile(r'\bid="([^"]+)"')
_REFERENCE = re.compile(r'(url\(|href=")#')
_FONTS = re.compile(r"'DejaVu Sans'(, [^;\"]*)?")


@contextmanager
def drawing(height: float) -> Iterator[tuple[Any, Any]]:
    """A figure of that height in inches and its axes, and the style for as long as they are drawn on."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        yield figure, figure.subplots()


def inline(figure: Any, name: str, says: str) -> Markup:
    """The figure as an `svg` element; `name` keeps its ids apart from other figures', `says` is read out instead."""
    written = io.StringIO()
    figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    text = _HEAD.sub("<svg ", written.getvalue(), count=1)
    text = _STYLE.sub("", _METADATA.sub("", text), count=1)
    text = _SIZE.sub(rf'<svg role="img" aria-label="{_for_a_pattern(says)}" \1\2', text, count=1)
    text = _ID.sub(rf'id="{name}-\1"', text)
    text = _REFERENCE.sub(rf"\1#{name}-", text)
    text = _FONTS.sub("system-ui, sans-serif", text)
    for colour, variable in VARIABLES.items():
        text = text.replace(colour, variable)
    return Markup(text)  # Matplotlib has escaped the texts in it


def _for_a_pattern(text: str) -> str:
    return str(escape(text)).replace("\\", r"\\")
