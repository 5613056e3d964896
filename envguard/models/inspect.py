"""`envguard inspect`: what is in a model file, and what would quantizing it do?"""

from __future__ import annotations

from typing import Annotated

import typer

from envguard.cli.options import (
    BackendOption,
    BaseOption,
    EditionsOption,
    FindLinksOption,
    JsonOption,
    OfflineOption,
    PythonsOption,
)
from envguard.cli.printing import document_text
from envguard.cli.screen import screen
from envguard.cli.selection import Selection, catalog_of
from envguard.cli.sources import named_source
from envguard.cli.text import printable
from envguard.cli.workshop import open_workshop
from envguard.models.inspecting import ENVIRONMENT, inspect_model
from envguard.models.text.inspection import as_text
from envguard.payload.contract import inspect_document, to_json


def inspect(
    ctx: typer.Context,
    model: Annotated[str, typer.Argument(help="A .task bundle, a .tflite model, or sample:face_landmarker.")],
    goal: Annotated[str, typer.Option(help="The goal of `envguard run quantize` to plan for.")] = "balanced",
    edition: EditionsOption = None,
    python: PythonsOption = None,
    find_links: FindLinksOption = None,
    offline: OfflineOption = False,
    backend: BackendOption = None,
    base: BaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show operators, types, sizes and quantization of a model, what would become int8, and what stands in the way.

    Does not run the model. Exit codes: 0 done; 2 bad input; 3 no environment is available here.
    """
    catalog = catalog_of(ctx.obj)
    with screen() as receive:
        selection = Selection(ENVIRONMENT, edition, python, find_links, offline, backend, base)
        workshop = open_workshop(ctx.obj, catalog, receive, selection)
        document = inspect_document(inspect_model(named_source(model, workshop), {"goal": goal}, workshop))
    typer.echo(document_text(to_json(document)) if as_json else printable(as_text(document)))
