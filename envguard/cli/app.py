"""The root of the command line: commands load when they are used, and every error is reported in one place."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperCommand, TyperGroup

from envguard import __version__
from envguard.cli.asking import ask_to_allow, ask_to_fetch, can_ask
from envguard.cli.failure import report_failure, show_error
from envguard.cli.printing import document_text
from envguard.cli.session import DEBUG_VARIABLE, FETCH_VARIABLE, Session, start_session
from envguard.creation import keep_others_from_writing
from envguard.errors import BadInput, LostOutput, MissingPython, NotAllowed
from envguard.missing_streams import open_missing_streams
from envguard.running.signals import unwind_on_ending
from envguard.streams import printing_never_fails

Takes = Literal["", "environment", "environments"]
JSON = "--json"
FETCH_OPTION = "--fetch-python"
WANTS_JSON = "envguard.wants_json"


@dataclass(frozen=True, slots=True)
class Command:
    """A command that is not imported yet: `module:function`, and the first paragraph of the function's docstring.

    `takes` says what its arguments are, so that a shell can complete them without importing it.
    """

    target: str
    summary: str
    passes_options_on: bool = False
    takes: Takes = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Commands under a common name; `target` is the `module:class` of a group that knows more commands than these."""

    summary: str
    commands: Mapping[str, Command]
    target: str = ""


class LazyCommand(TyperCommand):
    """Shows its line in an overview; what it stands for is imported when it is about to run."""

    def __init__(
        self, name: str, summary: str, load: Callable[[], Any], *, passes_options_on: bool = False, takes: Takes = ""
    ) -> None:
        super().__init__(name, help=summary)
        self.load = load
        self.passes_options_on = passes_options_on
        self.takes = takes

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """The context of the real command, and a note of whether an error of it is to be JSON."""
        if self.takes and extra.get("resilient_parsing") and names_alone(args):
            stands_in = as_command(str(self.name), imported(f"envguard.cli.guide.stand_ins:{self.takes}"))
            return stands_in.make_context(info_name, args, parent=parent, **extra)
        command = self.load()
        if self.passes_options_on:
            args[:] = _options_first(args, command.params)
        elif _before_dashes(args, FETCH_OPTION):
            args.remove(FETCH_OPTION)
            parent.obj = replace(parent.obj, environ={**parent.obj.environ, FETCH_VARIABLE: "auto"})
        parent.meta[WANTS_JSON] = _before_dashes(args, JSON) and (
            isinstance(command, TyperGroup) or any(JSON in option.opts for option in command.params)
        )
        context = command.make_context(info_name, args, parent=parent, **extra)
        if "as_json" in context.params:
            context.meta[WANTS_JSON] = context.params["as_json"]
        return context


class RootGroup(TyperGroup):
    """All commands; an error in one is reported here, where the options of that command are known."""

    def resolve_command(self, ctx: typer.Context, args: list[str]) -> Any:  # type: ignore[override]
        """The command that the arguments name; the error for an unknown one is JSON if they ask for it."""
        ctx.meta[WANTS_JSON] = _before_dashes(args, JSON)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        """Run the command that the arguments name and give back its exit code."""
        try:
            return super().invoke(ctx)
        except typer.Exit:
            raise
        except (NotAllowed, MissingPython) as error:
            if can_ask() and (isinstance(error, NotAllowed) or not ctx.obj.environ.get(FETCH_VARIABLE)):
                raise
            return report_failure(error, as_json=ctx.meta.get(WANTS_JSON) or ctx.params["as_json"], debug=False)
        except (Exception, KeyboardInterrupt) as error:
            debug = ctx.obj.debug if isinstance(ctx.obj, Session) else _debug_by_variable()
            return report_failure(error, as_json=ctx.meta.get(WANTS_JSON) or ctx.params["as_json"], debug=debug)


def run(arguments: Sequence[str], commands: Mapping[str, Command | Group]) -> int:
    """Run one command and give back its exit code: what it did counts, unless somebody misses what it printed."""
    open_missing_streams()
    keep_others_from_writing()
    unwind_on_ending()
    with printing_never_fails() as lost:
        try:
            code = int(root(commands)(args=list(arguments), prog_name="envguard", standalone_mode=False) or 0)
        except NotAllowed as error:
            if ask_to_allow(error):
                return run(arguments, commands)
            code = report_failure(error, as_json=False, debug=False)
        except MissingPython as error:
            if ask_to_fetch(error):
                return run([FETCH_OPTION, *arguments], commands)
            code = report_failure(error, as_json=False, debug=False)
        except (Exception, KeyboardInterrupt) as error:  # of the options before a command's name
            code = report_failure(error, as_json=False, debug=_debug_by_variable())
    if not lost.why:
        return code
    with printing_never_fails():
        show_error(LostOutput(lost.why))
    return code or LostOutput.exit_code


def _debug_by_variable() -> bool:
    """Whether errors show their traceback, where no session says so."""
    return bool(os.environ.get(DEBUG_VARIABLE))


def root(commands: Mapping[str, Command | Group]) -> TyperGroup:
    """The whole command line; its help is plain text where NO_COLOR asks for that."""
    typer.core.HAS_RICH = not os.environ.get("NO_COLOR")
    app = typer.Typer(
        cls=RootGroup,
        help="Locked, isolated environments for tools that refuse to share one.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(options)
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    for name, entry in commands.items():
        group.add_command(_lazy(name, entry))
    return group


def as_command(name: str, function: Callable[..., Any], **settings: Any) -> Any:
    """A function as a command whose options are its parameters."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command(name, **settings)(function)
    return typer.main.get_command(app)


def _lazy(name: str, entry: Command | Group) -> LazyCommand:
    if isinstance(entry, Group):
        return LazyCommand(name, entry.summary, lambda: _make_group(name, entry))
    return LazyCommand(
        name,
        entry.summary,
        lambda: _make_command(name, entry),
        passes_options_on=entry.passes_options_on,
        takes=entry.takes,
    )


def _make_command(name: str, entry: Command) -> Any:
    settings = {"allow_interspersed_args": False, "ignore_unknown_options": True} if entry.passes_options_on else {}
    return as_command(name, imported(entry.target), context_settings=settings)


def _make_group(name: str, entry: Group) -> Any:
    kind = imported(entry.target) if entry.target else TyperGroup
    commands = [_lazy(name, each) for name, each in entry.commands.items()]
    return kind(name=name, help=entry.summary, commands=commands, no_args_is_help=True)


def imported(target: str) -> Any:
    """What `module:name` stands for."""
    module, _, attribute = target.partition(":")
    return getattr(import_module(module), attribute)


def names_alone(arguments: Sequence[str]) -> bool:
    """Whether a shell asks for one more name, after names alone: then no other option of the command matters."""
    line = os.environ.get("_TYPER_COMPLETE_ARGS") or os.environ.get("COMP_WORDS") or ""
    before = arguments[:-1] if arguments[-1:] == ["--edition"] else arguments
    return not any(word.startswith("-") for word in (*before, line.rpartition(" ")[2]))


def _options_first(arguments: Sequence[str], parameters: Sequence[Any]) -> list[str]:
    """Options of ours that follow the first argument, which is a name, before it: the rest is another program's."""
    takes_value = {name: not each.is_flag for each in parameters for name in each.opts if name.startswith("-")}
    rest, options, names = list(arguments), list[str](), list[str]()
    while rest and rest[0] != "--" and (not names or rest[0].partition("=")[0] in takes_value):
        word = rest.pop(0)
        if not word.startswith("-"):
            names.append(word)
            continue
        options.append(word)
        if takes_value.get(word) and rest:
            options.append(rest.pop(0))
    return [*options, *names, *rest]


def _before_dashes(arguments: Sequence[str], option: str) -> bool:
    """Whether an option is given; what follows `--` is no option of envguard's."""
    given = list(arguments)
    return option in given[: given.index("--")] if "--" in given else option in given


def _print_version(ctx: typer.Context, wanted: bool) -> None:
    if not wanted:
        return
    if ctx.params["as_json"]:
        document = imported("envguard.cli.version:version_document")()
        typer.echo(document_text(document))
    else:
        typer.echo(__version__)
    raise typer.Exit


def options(
    ctx: typer.Context,
    project: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="The folder of the envguard.toml to use. Default: the nearest one upwards."),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    trust: Annotated[
        bool, typer.Option("--trust", help="In CI (CI=true): trust the project for this command.")
    ] = False,
    fetch_python: Annotated[
        bool,
        typer.Option(
            FETCH_OPTION,
            help="Let uv fetch a Python into envguard's store, by hash, if none here fits; also after the command.",
        ),
    ] = False,
    version: Annotated[  # noqa: ARG001 - its callback acts
        bool, typer.Option("--version", "-V", "-v", help="Print the version.", callback=_print_version)
    ] = False,
    as_json: Annotated[  # eager, so that the version's callback knows of it
        bool, typer.Option(JSON, help="With --version: list everything this envguard is made of.", is_eager=True)
    ] = False,
) -> None:
    """Options of every command."""
    if as_json:
        raise BadInput("--json before a command works only with --version.", next_step="Write it after the command.")
    if trust and os.environ.get("CI", "").lower() not in ("true", "1"):
        raise BadInput(
            "--trust works only in CI, where the variable CI is true.",
            why="elsewhere, what you trust is recorded, so that a change of it asks again",
            next_step="Run `envguard trust` in the project's folder instead.",
        )
    ctx.obj = start_session(project, debug=debug, trust=trust, fetch_python=fetch_python)
