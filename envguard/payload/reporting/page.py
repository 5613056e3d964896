"""From the record of a run and the files that its steps handed on to one page that needs nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path, PurePath
from typing import TypeVar

import jinja2
from markupsafe import Markup

from ..contract import ModelReport, ModelRounds, QuantizeDocument, Run, VerifyDetails, quantize_document
from . import pictures, plots, roads, summary, tables

TEMPLATES = Path(__file__).resolve().parent
TEMPLATE, STYLE = "page.html", "page.css"
HASH = re.compile(r"[0-9a-f]{64}")
LANDMARK_SHIFT = "landmark-shift"

Value = TypeVar("Value")


@dataclass(frozen=True)
class PageContents:
    """What a page is made of; `details` is what the step `verify` hands on, `samples` what `compare` does, by model."""

    run: Run
    details: VerifyDetails | None = None
    samples: Mapping[str, ModelRounds] = field(default_factory=dict)


@dataclass(frozen=True)
class ModelSection:
    """What the page says of one model."""

    name: str
    layers: list[summary.LayerRun]
    passes: tables.TableOfFigures | None
    weights: tables.TableOfFigures | None
    candidates: tables.TableOfFigures | None
    errors: Markup | None
    plot: Markup | None


def render(sources: PageContents) -> str:
    """The page of a run; the same text for the same input."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["hash"] = lambda text: HASH.fullmatch(text) is not None
    clean = readable(sources)
    run, details, document = clean.run, clean.details, quantize_document(clean.run)
    shown = pictures.pictures(details) if details else []
    page: str = environment.get_template(TEMPLATE).render(
        run=run,
        document=document,
        name=PurePath(document.input.path).name,
        style=(TEMPLATES / STYLE).read_text(encoding="utf-8"),
        key_figures=summary.key_figures(document),
        unverified=summary.unverified(document, len(shown)),
        pictures=shown,
        zooms=pictures.zooms(details) if details else [],
        views=details.views if details else 0,
        scores_are=details.scores.name.capitalize() if details and details.scores else "",
        plots=_plots(clean, document),
        tables=_tables(clean, document),
        models=[_section(document, model, number) for number, model in enumerate(document.models)],
    )
    return page


def _plots(sources: PageContents, document: QuantizeDocument) -> dict[str, Markup | None]:
    models, details = document.models, sources.details
    limit = next((gate.limit for gate in sources.run.gates if gate.name == LANDMARK_SHIFT), None)
    return {
        "sizes": plots.sizes(models),
        "times": plots.model_times(models, sources.samples),
        "calls": plots.calls(details.images) if details else None,
        "kinds": plots.kinds_of_operators(models),
        "outputs": plots.outputs(models),
        "scores": plots.scores(details.scores) if details else None,
        "shifts": plots.shifts(details, limit) if details else None,
    }


def _tables(sources: PageContents, document: QuantizeDocument) -> dict[str, tables.TableOfFigures | None]:
    named = (("input", document.input), ("output", document.output))
    return {
        "gates": tables.gates(sources.run.gates),
        "refused": tables.refused(document),
        "conditions": tables.conditions(sources.run.gates),
        "roads": roads.table(document),
        "sizes": tables.sizes(document),
        "times": tables.times(document.models),
        "outputs": tables.outputs(document.models),
        "scores": tables.scores(sources.details.scores) if sources.details else None,
        "layers": tables.layers(document),
        "environments": tables.environments(document),
        "steps": tables.steps(document),
        "files": tables.files([(what, file) for what, file in named if file is not None]),
    }


def _section(document: QuantizeDocument, model: ModelReport, number: int) -> ModelSection:
    return ModelSection(
        name=model.name,
        layers=summary.layer_runs(tables.layers_of(document, model.name)),
        passes=tables.passes(model),
        weights=tables.weights(model),
        candidates=tables.candidates(model),
        errors=plots.layers(model, number),
        plot=plots.candidates(model, number),
    )


def readable(value: Value) -> Value:
    """The same with every text on one line and without characters that cannot be seen, or that turn others around."""
    made: object = value
    if isinstance(value, str):
        made = "".join(char if char.isprintable() else " " if char == "\n" else repr(char)[1:-1] for char in value)
    elif is_dataclass(value) and not isinstance(value, type):
        made = replace(value, **{each.name: readable(getattr(value, each.name)) for each in fields(value)})
    elif isinstance(value, Mapping):
        made = {readable(name): readable(each) for name, each in value.items()}
    elif isinstance(value, (list, tuple)):
        made = tuple(readable(each) for each in value)
    return made  # type: ignore[return-value]
