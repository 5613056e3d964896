"""`envguard inspect`: what is in a model file, and what would quantizing it do?"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from envguard.cli.choice import BackendOption, BaseOption, EditionsOption, FindLinksOption, OfflineOption, PythonsOption


def inspect(
    model: Annotated[str, typer.Argument(help="A .task bundle, a .tflite model, or sample:face_landmarker.")],
    goal: Annotated[str, typer.Option(help="The goal of `envguard run quantize` to plan for.")] = "balanced",
    edition: EditionsOption = None,
    python: PythonsOption = None,
    find_links: FindLinksOption = None,
    offline: OfflineOption = False,
    backend: BackendOption = None,  # noqa: ARG001 - its callback acts
    base: BaseOption = None,  # noqa: ARG001 - as above
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")] = False,
) -> None:
    """Show operators, types, sizes and quantization of a model, what would become int8, and what stands in the way.

    Runs nothing of the model. Exit codes: 0 done; 2 bad input; 3 no environment can be had here.
    """
    from envguard.catalog import load_catalog
    from envguard.cli.screen import screen
    from envguard.cli.sources import named_source
    from envguard.cli.text import printable
    from envguard.cli.workshop import workshop_for
    from envguard.models.inspecting import ENVIRONMENT, inspect_model
    from envguard.models.text.inspection import as_text

    catalog = load_catalog(Path.cwd(), os.environ)
    with screen() as receive:
        workshop = workshop_for(
            ENVIRONMENT,
            catalog,
            receive,
            editions=edition,
            pythons=python,
            find_links=find_links,
            offline=offline,
        )
        document = inspect_model(named_source(model, workshop), {"goal": goal}, workshop)
    typer.echo(json.dumps(document, indent=2) if as_json else printable(as_text(document)))
