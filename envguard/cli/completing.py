"""What a shell completes: names of the catalog, which is only read, so that a project need not be trusted for it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import typer

from envguard.catalog.model import Catalog
from envguard.catalog.projects import PROJECT_VARIABLE, load_catalog, own_first
from envguard.catalog.shipped import builtin_catalog
from envguard.cli.session import session_of
from envguard.errors import EnvguardError


def complete_environments(ctx: typer.Context, incomplete: str) -> list[str]:
    """The environments, the project's own first."""
    return _starting(own_first(_catalog(ctx)), incomplete)


def complete_tasks(ctx: typer.Context, incomplete: str) -> list[str]:
    """The tasks."""
    return _starting(_catalog(ctx).tasks, incomplete)


def complete_editions(ctx: typer.Context, incomplete: str) -> list[str]:
    """The editions of the environments that the line names; of all, as ENV=NAME, where it names none."""
    environments = _catalog(ctx).environments
    named = [word for word in _line() if word in environments]
    found = [edition.name for name in named for edition in environments[name].editions]
    if not named:
        found = [f"{name}={edition.name}" for name, each in environments.items() for edition in each.editions]
    return _starting(dict.fromkeys(found), incomplete)


def _catalog(ctx: typer.Context) -> Catalog:
    """The catalog as it is written; the built-in one where the project's cannot be read."""
    try:
        session = session_of(ctx)
        project = ctx.find_root().params.get("project")
        if project:
            session = replace(session, environ={**session.environ, PROJECT_VARIABLE: str(Path(project))})
        return load_catalog(session.cwd, session.environ)
    except EnvguardError:
        return builtin_catalog()


def _line() -> list[str]:
    """The words so far: an option that still lacks its value keeps them from being parsed."""
    return (os.environ.get("_TYPER_COMPLETE_ARGS") or os.environ.get("COMP_WORDS") or "").split()[1:]


def _starting(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
