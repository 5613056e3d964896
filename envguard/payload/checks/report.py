"""The proof of the environment `report`: a page with plots and a picture is made, the same twice."""

from __future__ import annotations

import base64
import hashlib
import importlib
import io
from html.parser import HTMLParser
from importlib.metadata import version
from typing import Any

from ..contract import Request
from ..protocol import Events, Failure, Result

PACKAGES = ("jinja2", "matplotlib", "numpy", "pillow")
PLOTS = 6
"""Of the example: sizes, times, calls, shifts, outputs, scores."""


def run(request: Request, events: Events) -> Result:
    """Make the page of an example that is made up here; a second or two.

    Failures: `import-fails`, `page-differs` from one time to the next, `page-incomplete`.
    """
    try:
        found = {name: version(name) for name in PACKAGES}
        example = importlib.import_module("..reporting.example", __package__)
        page = importlib.import_module("..reporting.page", __package__)
    except (ImportError, OSError, AttributeError) as cause:
        return Result({"works": False}, (Failure("import-fails", f"The page cannot be made: {cause}"),))
    jpeg = _picture()
    pages = [page.render(example.sources("a model.task", jpeg)) for _ in range(2)]
    values = {"works": False, "versions": found, "bytes": len(pages[0].encode())}
    if pages[0] != pages[1]:
        return Result(values, (Failure("page-differs", "The same run gives two different pages."),))
    tags = _Tags()
    tags.feed(pages[0])
    if tags.images < PLOTS or jpeg not in pages[0] or not pages[0].rstrip().endswith("</html>"):
        message = f"The page has {tags.images} plots and pictures where more than {PLOTS} are expected."
        return Result(values, (Failure("page-incomplete", message),))
    digest = hashlib.sha256(pages[0].encode()).hexdigest()
    return Result({**values, "works": True, "plots": tags.images, "sha256": digest})


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
