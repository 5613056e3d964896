"""`envguard ci`: write a workflow that runs a task in CI, and print the key by which it caches the store."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from envguard.catalog import Catalog, Environment, Task
from envguard.catalog.model import CommandStep
from envguard.cli.completing import complete_tasks
from envguard.cli.projects.renewal import renewal_job
from envguard.cli.selection import catalog_of
from envguard.cli.sources import SAMPLE
from envguard.cli.wing import wing
from envguard.errors import BadInput
from envguard.files import check_place, write_output
from envguard.locks.staleness import StaleLock
from envguard.planning import request_of, stale_for
from envguard.report.ci import OUTPUTS, REPORT, CiJob, github_workflow, gitlab_pipeline, locks_key
from envguard.report.ci_renewal import RenewalJob, renewal_workflow
from envguard.running.environments.recorded import recorded_locks
from envguard.table_reader import unknown_name

ITSELF = "envguard"
PLAIN_FOLDER = re.compile(r"[A-Za-z0-9._/-]*")
IN_CHECKOUT = ("make host",)
GITHUB_PATH = 'echo "$PWD/.venv/bin" >> "$GITHUB_PATH"'
GITLAB_PATH = 'export PATH="$PWD/.venv/bin:$PATH"'

DEFAULT_TASK = "quantize"
TaskArgument = Annotated[
    str, typer.Argument(metavar="[TASK]", help="Default: quantize.", autocompletion=complete_tasks)
]
OptionalTaskArgument = Annotated[
    str | None, typer.Argument(metavar="[TASK]", help="Default: quantize.", autocompletion=complete_tasks)
]
InputsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[INPUT]...",
        help="Files of the repository, NAME=PATH where the task has several inputs, or sample:NAME. Default for "
        "quantize: the first sample.",
    ),
]
FileOption = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write this file; default: standard output.")
]
ForceOption = Annotated[bool, typer.Option("--force", help="Overwrite FILE if it exists.")]
InstallOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="COMMAND",
        help="A shell line that installs `envguard`; can be given several times, one per line. Required unless this is "
        "envguard's own checkout (make host), because envguard is not on PyPI.",
    ),
]


def github(
    ctx: typer.Context,
    task: OptionalTaskArgument = None,
    inputs: InputsArgument = None,
    output: FileOption = None,
    force: ForceOption = False,
    install: InstallOption = None,
    renew: Annotated[
        bool,
        typer.Option(
            "--renew",
            help="Write the weekly workflow that runs `envguard renew` on every Python and proposes what it finds as a "
            "pull request, in place of one that runs a task.",
        ),
    ] = False,
) -> None:
    """Write a workflow for GitHub Actions, such as .github/workflows/envguard.yml.

    It restores the environments by the digest of their locks, checks the locks, runs the task, and keeps output, report
    and receipt.
    """
    _check(output, force=force)
    if renew:
        if task is not None:
            raise BadInput("--renew runs no task.", next_step="Leave out TASK and INPUT.")
        _write(renewal_workflow(_renewal_job(catalog_of(ctx.obj), install)), output)
        return
    job = _job(catalog_of(ctx.obj), task or DEFAULT_TASK, inputs or [], install, GITHUB_PATH)
    if any("${{" in text for text in (*job.command, *job.install, job.folder)):
        raise BadInput("GitHub would read ${{ as an expression.", next_step="Rename the file.")
    _write(github_workflow(job), output)


def gitlab(
    ctx: typer.Context,
    task: TaskArgument = DEFAULT_TASK,
    inputs: InputsArgument = None,
    output: FileOption = None,
    force: ForceOption = False,
    install: InstallOption = None,
) -> None:
    """Write a pipeline for GitLab CI, such as .gitlab-ci.yml.

    It restores the environments by the digest of their locks, checks the locks, runs the task, and keeps output, report
    and receipt.
    """
    _check(output, force=force)
    _write(gitlab_pipeline(_job(catalog_of(ctx.obj), task, inputs or [], install, GITLAB_PATH)), output)


def key(ctx: typer.Context, task: TaskArgument = DEFAULT_TASK) -> None:
    """Print a cache key for the locks of a task's environments; it changes when one of them does."""
    catalog = catalog_of(ctx.obj)
    typer.echo(locks_key(_environments(_task(task, catalog), catalog)))


def _job(catalog: Catalog, name: str, inputs: Sequence[str], install: Sequence[str] | None, path_line: str) -> CiJob:
    task = _task(name, catalog)
    environments = _environments(task, catalog)
    base = catalog.project or Path.cwd()
    top, folder = _top(base), _folder(base)
    own = [each.name for each in environments if catalog.project and each.lockfiles.is_relative_to(catalog.project)]
    command, stdout = _command(task, [_input(task, each, base, top, catalog) for each in inputs], base, catalog)
    return CiJob(
        task=name,
        install=tuple(install) if install else _install(top, path_line),
        checked=tuple(own or [each.name for each in environments]),
        command=command,
        stdout=stdout,
        python=_python(environments, catalog.environments[ITSELF]),
        key=locks_key(environments),
        folder=folder,
        project=catalog.project is not None,
    )


def _renewal_job(catalog: Catalog, install: Sequence[str] | None) -> RenewalJob:
    base = catalog.project or Path.cwd()
    lines = tuple(install or ())
    if any("${{" in text for text in lines):
        raise BadInput("GitHub would read ${{ as an expression.", next_step="Write the command without it.")
    return renewal_job(catalog, base, _folder(base), lambda: lines or _install(_top(base), GITHUB_PATH))


def _folder(base: Path) -> str:
    """The folder from the top of its repository; empty if it is the top."""
    top = _top(base)
    folder = base.relative_to(top).as_posix() if base != top else ""
    if not PLAIN_FOLDER.fullmatch(folder):
        raise BadInput(
            f"A workflow cannot name the folder {folder}.",
            why="CI systems read patterns and variables in the paths of artifacts and variables",
            next_step="Rename it with letters, digits, '.', '_', '-' and '/'.",
        )
    return folder


def _task(name: str, catalog: Catalog) -> Task:
    if name not in catalog.tasks:
        raise unknown_name("There is no task", name, catalog.tasks)
    return catalog.tasks[name]


def _environments(task: Task, catalog: Catalog) -> list[Environment]:
    return [catalog.environments[name] for name in catalog.environments_of(task)]


def _top(folder: Path) -> Path:
    """The top of the repository that the folder lies in; the folder itself where there is none."""
    return next((each for each in (folder, *folder.parents) if (each / ".git").exists()), folder)


def _install(top: Path, path_line: str) -> tuple[str, ...]:
    if (top / "envguard" / "bootstrap.py").is_file() and (top / "Makefile").is_file():
        return (*IN_CHECKOUT, path_line)
    raise BadInput(
        "The workflow needs a command that installs envguard.",
        why="envguard is not on PyPI, and this is not its own checkout",
        next_step="Name the command with --install, such as --install 'pip install git+https://git.example/envguard.git@COMMIT'.",
    )


def _python(environments: Sequence[Environment], itself: Environment) -> str:
    """The Python, of those that envguard itself and every environment have a lock for, that the first one prefers."""
    locked = [set(_locked_pythons(environment)) for environment in environments]
    runs_on = {python for _, python in recorded_locks(itself)}
    for python in environments[0].pythons:
        if python in runs_on and all(python in each for each in locked):
            return python
    raise BadInput(
        "No Python has a lock in every environment of the task.",
        why="\n".join(
            f"{environment.name}: {', '.join(sorted(each)) or 'none'}"
            for environment, each in zip(environments, locked, strict=True)
        ),
        next_step="envguard lock",
    )


def _locked_pythons(environment: Environment) -> Iterator[str]:
    """The Pythons that it has a lock for; raises StaleLock if one of an offered edition is stale."""
    for (name, python), lock in recorded_locks(environment).items():
        edition = environment.edition(name)
        stale = "" if edition is None else stale_for(environment, edition, python, lock)
        if edition is not None and stale and edition.offered:
            raise StaleLock(request_of(environment, edition, python), stale, frozen=False)
        yield python


def _input(task: Task, given: str, base: Path, top: Path, catalog: Catalog) -> tuple[str, str]:
    """The input's name, empty where it has none, and its path from the project's folder, as in any clone."""
    name, equals, value = given.partition("=")
    if not equals or name not in task.inputs:
        name, value = "", given
    if value.startswith(SAMPLE):
        if value.removeprefix(SAMPLE) not in catalog.samples:
            raise unknown_name("There is no sample", value.removeprefix(SAMPLE), catalog.samples)
    else:
        path = Path(value).expanduser().absolute()
        if not path.exists() or not path.resolve().is_relative_to(top.resolve()):
            raise BadInput(
                f"The input {value} is not a file of the repository.",
                why=f"CI has only what is below {top}",
                next_step="Name a file that is committed.",
            )
        value = Path(os.path.relpath(path, base)).as_posix()
        value = f"./{value}" if value.startswith("-") else value
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise BadInput(
            "The input's name is not valid UTF-8, which YAML requires.", next_step="Rename the file."
        ) from error
    return name, value


def _command(
    task: Task, inputs: Sequence[tuple[str, str]], base: Path, catalog: Catalog
) -> tuple[tuple[str, ...], str]:
    """The arguments that run the task, and the file that its standard output goes to."""
    if task.name == "quantize":
        models = [value for _, value in inputs] or [f"{SAMPLE}{next(iter(catalog.samples))}"]
        target = _quantized(models, base, catalog)
        return ("run", task.name, *models, "-o", target, "--report", f"{REPORT}.md"), ""
    if len(inputs) == len(task.inputs) == 1:
        given = [inputs[0][1]]
    else:
        names = [name for name, _ in inputs]
        if sorted(names) != sorted(task.inputs):
            raise BadInput(
                f"The task {task.name} needs {', '.join(task.inputs) or 'no input'}.",
                next_step=" ".join(["envguard ci …", task.name, *(f"{name}=PATH" for name in task.inputs)]),
            )
        given = [part for name, value in inputs for part in ("--input", f"{name}={value}")]
    several = len(task.outputs) > 1
    target = OUTPUTS if several else "".join(f"{OUTPUTS}/{_output_name(task, name)}" for name in task.outputs)
    return ("run", task.name, *given, *(("-o", target) if target else ()), "--json"), _report_beside(task)


def _quantized(models: Sequence[str], base: Path, catalog: Catalog) -> str:
    """Where the output of quantizing goes: a file for one model, the folder for several."""
    if len(models) > 1 or (base / models[0]).is_dir():
        return OUTPUTS
    name = models[0].removeprefix(SAMPLE)
    files = catalog.samples[name].files if models[0].startswith(SAMPLE) else ()
    return f"{OUTPUTS}/{wing().default_name(Path(files[0].path if files else models[0]))}"


def _report_beside(task: Task) -> str:
    """The file for the run's document, which must not be that of an output."""
    taken = {f"{OUTPUTS}/{_output_name(task, name)}" for name in task.outputs}
    report = f"{REPORT}.json"
    while report in taken:
        report = f"{report.removesuffix('.json')}-run.json"
    return report


def _output_name(task: Task, name: str) -> str:
    """What the step that makes this output calls its file."""
    reference = task.outputs[name]
    step = next((each for each in task.steps if each.name == reference.source), None)
    return Path(step.outputs[reference.name]).name if isinstance(step, CommandStep) else reference.name


def _check(output: Path | None, *, force: bool) -> None:
    """Refuse a file that may not be written, before any work is done."""
    if output is None:
        return
    check_place(output.absolute())
    if output.exists() and not force:
        raise BadInput(f"{output} already exists.", next_step="Name another file, or overwrite it with --force.")


def _write(text: str, output: Path | None) -> None:
    if output is None:
        typer.echo(text, nl=False)
        return
    path = output.absolute()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_output(path, text.encode())
    except OSError as error:
        raise BadInput(f"{output} cannot be written.", why=str(error), next_step="Name another file.") from error
    typer.echo(f"{output}: written")
