"""Run a command step: a user's program in an environment, with file names in its arguments and without a shell."""

from __future__ import annotations

import shutil
import stat
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from envguard.backends.protocol import Workspace
from envguard.backends.resources import memory_from
from envguard.catalog.model import CommandStep, Environment
from envguard.catalog.scripts import PYTHONS, script_of
from envguard.errors import BadInput, StepFailed
from envguard.files import files_below
from envguard.host.secrets import without_secrets
from envguard.payload.contract import Gate, StepFindings
from envguard.running.at_once.processes import Processes
from envguard.running.commands.masking import masked_log
from envguard.running.commands.network import is_container, network_of
from envguard.running.commands.outside import FromOutside
from envguard.running.commands.programs import lay_out_tools, path_of, unnamed_tool
from envguard.running.commands.tools import tools_of
from envguard.running.commands.variables import StepVariables, argument_of, variables_of
from envguard.running.ending import (
    EXIT_CODE,
    StepEndedBadly,
    ending,
    log_tail,
    refuse_if_out_of_memory,
    took_too_long,
)
from envguard.running.step import StepResult
from envguard.running.time_limit import time_limit

# The host's settings for Python are not passed on; these make it behave the same everywhere. The script's own folder
# stays importable, which -I would forbid.
PYTHON_VARIABLES = {
    "PYTHONNOUSERSITE": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUTF8": "1",
    "PYTHONHASHSEED": "0",
}


@dataclass(frozen=True, slots=True)
class CommandRun:
    """Where a command runs: its workspace, the folder that scripts are relative to, the host's variables, and a log.

    `processes` are those that end with it.
    """

    workspace: Workspace
    project: Path
    environ: Mapping[str, str]
    log: Path
    processes: Processes = field(default_factory=Processes)


@dataclass(frozen=True, slots=True)
class Given:
    """What a command has from outside: its variables, and how each tool is called."""

    variables: StepVariables
    tools: Mapping[str, Path]

    @property
    def secrets(self) -> Mapping[str, str]:
        """The variables among which there may be some that its log must not have."""
        return self.variables.values if self.variables.from_outside else {}


def run_command_step(step: CommandStep, inputs: Mapping[str, Path], run: CommandRun) -> StepResult:
    """Run a step's command; `inputs` are the paths that `{input.NAME}` stands for.

    The result's `files` are the outputs, by name, as paths relative to the scratch folder. Raises StepFailed if the
    command does not end with 0 or an output is missing, and BadInput if its program or script does not exist.
    """
    folder = run.workspace.folder
    outputs = {name: folder / file for name, file in step.outputs.items()}
    for path in outputs.values():
        path.parent.mkdir(parents=True, exist_ok=True)
    outside, given = from_outside(step, run), _given(step, run)
    line = _command_line(step, {"input": inputs, "output": outputs}, given, run)
    command, variables = (*network_of(step, run.workspace).before, *line), _variables(given, run)
    most, network = memory_from(run.environ), step.network is True
    started = time.monotonic()
    with (
        masked_log(run.log, given.secrets) as log,
        run.workspace.process(command, variables, log, talks=False, memory=most, network=network) as process,
        run.processes.holding(process),
        time_limit(process, step.timeout) as limit,
    ):
        code = process.wait()
    seconds = time.monotonic() - started
    said = without_secrets(log_tail(run.log), {**run.environ, **given.variables.values})
    if limit.over and step.timeout is not None:
        raise took_too_long(step.name, step.timeout, said, run.log)
    if code != 0:
        if most is not None:
            refuse_if_out_of_memory(step.name, code, most, run.log, given=True)
        next_step = f"{unnamed_tool(step, said, run.environ)} The whole log: {run.log}".strip()
        what = f"The step {step.name!r} {ending(code)}."
        raise StepEndedBadly(what, why=said, next_step=next_step, gate=EXIT_CODE, seconds=seconds)
    for name, path in outputs.items():
        _check_made(step, name, path, run, said)
    return StepResult(StepFindings(files=dict(step.outputs)), seconds, outside)


def from_outside(step: CommandStep, run: CommandRun) -> FromOutside:
    """What a step has that no lock pins; raises BadInput for a tool that is missing, and for any in a container."""
    if step.tools and is_container(run.workspace):
        raise BadInput(
            f"The step {step.name!r} calls {', '.join(step.tools)} of the host, which a container cannot see.",
            next_step="Run it without --backend container.",
        )
    variables = variables_of(step, run.project, run.environ).from_outside
    return FromOutside(variables, tools_of(step, run.environ), network_of(step, run.workspace).said)


def judged_command_step(step: CommandStep, inputs: Mapping[str, Path], run: CommandRun) -> StepResult:
    """Run a step's command, whose ending well is a gate: for tasks that make nothing, such as tests."""
    try:
        result = run_command_step(step, inputs, run)
    except StepEndedBadly as error:
        message = f"{error.what} {error.why}"
        gates = (_ends_well(step, error.gate, passed=False, message=message, next_step=error.next_step),)
        return StepResult(StepFindings(gates=gates), error.seconds, from_outside(step, run))
    return replace(result, findings=replace(result.findings, gates=(_ends_well(step, EXIT_CODE, passed=True),)))


def _ends_well(step: CommandStep, name: str, *, passed: bool, message: str = "", next_step: str = "") -> Gate:
    what = "Every command ends well"
    return Gate(name, what, passed, subject=step.name, message=message, next=next_step, step=step.name)


def run_check_command(environment: Environment, samples: Mapping[str, Path], run: CommandRun) -> StepResult:
    """Run the command that a catalog gives as an environment's check; raises StepFailed unless it ends with 0."""
    step = CommandStep(name="check", environment=environment.name, inputs={}, command=environment.check_command)
    return run_command_step(step, {"site-packages": run.workspace.layout.site_packages, **samples}, run)


def check_script(step: CommandStep, project: Path) -> None:
    """Refuse a step whose script does not exist, before anything is built for it."""
    script = script_of(step.command, project)
    if script is not None and not script.is_file():
        raise BadInput(
            f"The step {step.name!r} runs {script.relative_to(project)}, which does not exist.",
            why=f"envguard looked for it in {project}",
            next_step="Correct the step's command, or add the file.",
        )


def _given(step: CommandStep, run: CommandRun) -> Given:
    tools = lay_out_tools(step, run.workspace.folder.with_name("tools"), run.environ)
    return Given(variables_of(step, run.project, run.environ), tools)


def _variables(given: Given, run: CommandRun) -> dict[str, str]:
    path = {} if is_container(run.workspace) else {"PATH": path_of(run.workspace, given.tools, run.environ)}
    return {**run.workspace.variables(run.environ), **path, **PYTHON_VARIABLES, **given.variables.values}


def _command_line(
    step: CommandStep, paths: Mapping[str, Mapping[str, Path]], given: Given, run: CommandRun
) -> list[str]:
    check_script(step, run.project)
    script = script_of(step.command, run.project)
    seen, layout = run.workspace.path_inside, run.workspace.layout
    places = {f"{kind}.{name}": seen(path) for kind, named in paths.items() for name, path in named.items()}
    arguments = [argument_of(step, argument, given.variables.values, places) for argument in step.command[1:]]
    program = step.command[0]
    if program in PYTHONS:
        if script is not None:
            arguments[0] = seen(script)
        return [seen(layout.python), *arguments]
    if script is not None:
        return [seen(script), *arguments]
    if program in step.tools:
        return [str(given.tools[program]), *arguments]
    # Only the environment's: a program of the host is in no lock, and differs from host to host.
    found = shutil.which(program, path=str(layout.programs))
    if found is None:
        raise BadInput(
            f"The step {step.name!r} runs {program!r}, which its environment {step.environment!r} does not have.",
            why="programs of the host are only used if the step names them, because no lock pins them",
            next_step="Require the package that provides it, name a script of the project by its path, or add "
            f'tools = ["{program}"] to the step.',
        )
    return [seen(Path(found)), *arguments]


def _check_made(step: CommandStep, name: str, path: Path, run: CommandRun, said: str) -> None:
    """Refuse an output that is not what the step declared, in its scratch folder: a link could lead anywhere."""
    folder = step.outputs[name].endswith("/")
    try:
        mode = path.lstat().st_mode
        if folder:
            what = _wrong_folder(path) if stat.S_ISDIR(mode) else "is not a folder"
        else:
            what = "" if stat.S_ISREG(mode) else "is not a regular file"
    except OSError:
        what = "is missing"
    if not what and not path.resolve().is_relative_to(run.workspace.folder.resolve()):
        what = "is outside its folder"
    if what:
        raise StepFailed(
            f"The step {step.name!r} succeeded, but its output {name!r} ({step.outputs[name]}) {what}.",
            why=said,
            next_step=f"Make it write to {{output.{name}}}, or correct the step's outputs. The whole log: {run.log}",
        )


def _wrong_folder(path: Path) -> str:
    """What is wrong with a folder that a step made; empty if nothing is."""
    try:
        return "" if files_below(path) else "is empty"
    except BadInput as error:
        return f"cannot be taken: {error.what}"
