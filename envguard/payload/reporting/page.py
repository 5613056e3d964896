"""From a run's document and the files that its steps handed on to one page that needs nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

import jinja2

from . import judged, pictures, plots, tables

TEMPLATES = Path(__file__).resolve().parent
TEMPLATE, STYLE = "page.html", "page.css"
HASH = re.compile(r"[0-9a-f]{64}")

Document = Mapping[str, Any]


def render(
    document: Document,
    *,
    details: Document | None = None,
    samples: Document | None = None,
    about: Document | None = None,
) -> str:
    """The page for a document as `--json` prints it; the same text for the same input.

    `details` is what the step verify hands on, `samples` what compare does. `about` may hold `envguard` (its version),
    `date`, `limits` (options by step) and `receipt` (`path`, `bytes`, `sha256`).
    """
    known: Document = about or {}
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["hash"] = lambda text: HASH.fullmatch(text) is not None
    clean = _readable(document)
    view = _view(clean, _readable(details), _readable(samples) or {}, _readable(known))
    style = (TEMPLATES / STYLE).read_text(encoding="utf-8")
    page: str = environment.get_template(TEMPLATE).render(document=clean, style=style, **view)
    return page


def _view(document: Document, details: Document | None, samples: Document, about: Document) -> dict[str, Any]:
    models = document["models"]
    limits = about.get("limits", {})
    shown = pictures.pictures(details) if details else []
    verify = document["verify"]
    kind = details["kind"] if details else ""
    word = judged.SCORES.get(kind, ("", "Scores", ""))[1]
    found = details["scores"] if details else None
    return {
        "name": PurePath(document["input"]["path"]).name,
        "about": about,
        "verified": bool(verify and verify["verified"]),
        "facts": judged.facts(document),
        "gates": judged.gates(document, limits),
        "unverified": judged.unverified(document, len(shown)),
        "pictures": shown,
        "zooms": pictures.zooms(details) if details else [],
        "views": details["views"] if details else 0,
        "scores_are": word,
        "plots": {
            "sizes": plots.sizes(models),
            "times": plots.model_times(models, samples),
            "calls": plots.calls(details["images"]) if details else None,
            "kinds": plots.kinds_of_operators(models),
            "outputs": plots.outputs(models),
            "scores": plots.scores(found, word),
            "shifts": plots.shifts(
                details["images"],
                details["noise_px"],
                judged.landmark_limit(kind, limits.get("verify", {})),
                details["crop_side"],
            )
            if details
            else None,
        },
        "tables": {
            "sizes": tables.sizes(document),
            "times": tables.times(models),
            "outputs": tables.outputs(models),
            "scores": tables.scores(found, word.lower()),
            "layers": tables.layers(document),
            "environments": tables.environments(document),
            "steps": tables.steps(document),
            "files": tables.files(document, about.get("receipt")),
        },
        "models": [
            {
                "name": model["name"],
                "layers": judged.barcode(tables.layers_of(document, model["name"])),
                "passes": tables.passes(model),
                "weights": tables.weights(model),
                "errors": plots.layers(model, number),
                "candidates": tables.candidates(model),
                "plot": plots.candidates(model, number) if model.get("candidates") else None,
            }
            for number, model in enumerate(models)
        ],
    }


def _readable(value: Any) -> Any:
    """The same with every text on one line and without characters that cannot be seen, or that turn others around."""
    if isinstance(value, str):
        return "".join(char if char.isprintable() else " " if char == "\n" else repr(char)[1:-1] for char in value)
    if isinstance(value, Mapping):
        return {_readable(name): _readable(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_readable(each) for each in value]
    return value
