"""`envguard run TASK`: the built-in tasks with options of their own."""

from __future__ import annotations

import typer

run_app = typer.Typer(help="Run a task; each of its steps in an environment of its own.", no_args_is_help=True)
