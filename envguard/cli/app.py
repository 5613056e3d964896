"""The commands and what all of them share: how an error looks, and which exit code it gives."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from envguard import __version__
from envguard.cli.ci import ci_app
from envguard.cli.doctor import doctor, report_bug
from envguard.cli.environments import AFTER_NAME, create, execute, list_environments, path, shell
from envguard.cli.explain import explain
from envguard.cli.export import export
from envguard.cli.failing import show_error
from envguard.cli.image import image_app
from envguard.cli.init import init
from envguard.cli.lock import lock
from envguard.cli.matrix import matrix
from envguard.cli.probe import probe
from envguard.cli.prove import prove
from envguard.cli.receipt import verify_receipt
from envguard.cli.setup import setup
from envguard.cli.store import store_app
from envguard.cli.task import TaskGroup
from envguard.errors import BadInput, EnvguardError, Interrupted, unforeseen
from envguard.models.convert import convert
from envguard.models.inspect import inspect
from envguard.models.quantize import quantize
from envguard.models.tune import tune
from envguard.running.signals import unwind_on_sigterm


class Commands(TyperGroup):
    """All commands; Ctrl-C in one is an error like any other, where typer would end without a word."""

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        """Run the command that the arguments name; raises Interrupted."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            next_step = "Run the same command again: what was finished is kept, the rest is done anew."
            raise Interrupted("Interrupted.", next_step=next_step) from error


app = typer.Typer(
    cls=Commands,
    help="Locked, isolated environments for tools that refuse to share one.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(setup)
app.command()(init)
app.command()(probe)
app.command()(create)
app.command("list")(list_environments)
app.command()(path)
app.command("exec", context_settings=AFTER_NAME)(execute)
app.command()(shell)
app.command()(lock)
app.command()(prove)
app.command()(matrix)
app.command()(export)
app.command()(inspect)
app.command()(explain)
app.command()(doctor)
app.command("report-bug")(report_bug)
run_app = typer.Typer(
    cls=TaskGroup, help="Run a task; each of its steps in an environment of its own.", no_args_is_help=True
)
run_app.command()(convert)
run_app.command()(tune)
run_app.command()(quantize)
app.add_typer(run_app, name="run")
app.command("verify-receipt")(verify_receipt)
app.add_typer(store_app, name="store")
app.add_typer(image_app, name="image")
app.add_typer(ci_app, name="ci")


@run_app.callback()
def tasks() -> None:
    """Run a task; each of its steps in an environment of its own."""


def _print_version(ctx: typer.Context, wanted: bool) -> None:
    if not wanted:
        return
    if ctx.params["as_json"]:
        from envguard.cli.version import version_document

        typer.echo(json.dumps(version_document(), indent=2))
    else:
        typer.echo(__version__)
    raise typer.Exit


@app.callback()
def options(
    project: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="The folder of the envguard.toml to use; else the nearest one upwards."),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[  # noqa: ARG001 - its callback acts
        bool, typer.Option("--version", help="Print the version.", callback=_print_version)
    ] = False,
    as_json: Annotated[  # eager, so that the version's callback knows of it
        bool, typer.Option("--json", help="With --version: what this envguard is made of.", is_eager=True)
    ] = False,
) -> None:
    """Options of every command."""
    if as_json:
        raise BadInput("--json before a command is for --version alone.", next_step="Write it after the command.")
    if project:
        os.environ["ENVGUARD_PROJECT"] = project
    if debug:
        os.environ["ENVGUARD_DEBUG"] = "1"


def run(arguments: Sequence[str]) -> int:
    """Run one command and give back its exit code."""
    unwind_on_sigterm()
    try:
        code: Any = app(args=list(arguments), prog_name="envguard", standalone_mode=False)
        return int(code or 0)
    except EnvguardError as error:
        return _report(error, as_json="--json" in arguments)
    except TyperException as error:
        if not str(error):  # a command without arguments has printed its help
            return BadInput.exit_code
        usage = BadInput(error.format_message(), next_step="`envguard --help` lists what each command takes.")
        return _report(usage, as_json="--json" in arguments)
    except (typer.Abort, KeyboardInterrupt):
        return _report(Interrupted("Interrupted."), as_json=False)
    except BrokenPipeError:
        # The reader has gone; Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        return _report(unforeseen(error), as_json="--json" in arguments)


def _report(error: EnvguardError, *, as_json: bool) -> int:
    if os.environ.get("ENVGUARD_DEBUG"):
        traceback.print_exception(error)
    document = show_error(error)
    if as_json:
        print(json.dumps(document, indent=2))
    return error.exit_code
