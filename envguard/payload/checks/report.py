"""The proof of the environment `report`: a page with plots and a picture is made, the same twice."""

from __future__ import annotations

import base64
import hashlib
import importlib
import io
from html.parser import HTMLParser
from importlib.metadata import version
from typing import Any

from ..contract import CheckFindings, Json, Request, StepFindings
from ..gates import GateDeclaration, judge
from ..protocol import Events

PACKAGES = ("jinja2", "matplotlib", "numpy", "pillow")
IMPORT_FAILS = GateDeclaration("import-fails", "The page's modules can be imported", "The page cannot be made: {cause}")
DIFFERS = GateDeclaration("page-differs", "The same page twice", "The same run gives two different pages.")
INCOMPLETE = GateDeclaration(
    "page-incomplete",
    "Plots and pictures on the page",
    "The page has {measured} plots and pictures where more than {limit} are expected.",
)
PLOTS = 6
"""Of the example: sizes, times, calls, shifts, outputs, scores."""


def run(request: Request, events: Events) -> StepFindings:
    """Make the page of an example that is made up here, twice; a second or two."""
    try:
        found = {name: version(name) for name in PACKAGES}
        example = importlib.import_module("..reporting.example", __package__)
        page = importlib.import_module("..reporting.page", __package__)
    except (ImportError, OSError, AttributeError) as cause:
        return StepFindings(
            CheckFindings({"works": False}), (judge(IMPORT_FAILS, passed=False, words={"cause": cause}),)
        )
    jpeg = _picture()
    pages = [page.render(example.sources("a model.task", jpeg)) for _ in range(2)]
    tags = _Tags()
    tags.feed(pages[0])
    complete = tags.images >= PLOTS and jpeg in pages[0] and pages[0].rstrip().endswith("</html>")
    gates = (
        judge(IMPORT_FAILS, passed=True),
        judge(DIFFERS, passed=pages[0] == pages[1]),
        judge(INCOMPLETE, tags.images, PLOTS, passed=complete),
    )
    facts: dict[str, Json] = {"works": False, "versions": dict(found), "bytes": len(pages[0].encode())}
    if all(gate.passed for gate in gates):
        digest = hashlib.sha256(pages[0].encode()).hexdigest()
        facts.update(works=True, plots=tags.images, sha256=digest)
    return StepFindings(CheckFindings(facts), gates)


def _picture() -> str:
    """A small JPEG in base64."""
    image = importlib.import_module("PIL.Image")
    written = io.BytesIO()
    image.linear_gradient("L").resize((64, 48)).convert("RGB").save(written, "JPEG")
    return base64.b64encode(written.getvalue()).decode("ascii")


class _Tags(HTMLParser):
    """Counts what is shown as a picture."""

    images = 0

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.images += tag == "svg" and ("role", "img") in attrs
