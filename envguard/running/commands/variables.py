"""The variables that a command step is given: of its file, of the user's that it lets through, and its own.

Values of the user's and of the file go to the command and nowhere else: a receipt has their names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from envguard.catalog.model import CommandStep
from envguard.catalog.references import PLACEHOLDER
from envguard.catalog.variables import USED, passable
from envguard.errors import BadInput

LARGEST_ENV_FILE = 1_000_000

_PLACES = re.compile(f"{USED.pattern}|{PLACEHOLDER.pattern.replace('(', '(?:')}")


@dataclass(frozen=True, slots=True)
class StepVariables:
    """What a step is given: `values` by name, and of those from outside the catalog (`from_outside`), which are set."""

    values: Mapping[str, str] = field(default_factory=dict)
    from_outside: Mapping[str, bool] = field(default_factory=dict)


def variables_of(step: CommandStep, project: Path, environ: Mapping[str, str]) -> StepVariables:
    """The variables of a step; `environ` are the user's.

    The user's own take precedence over those of the step's file, and the step's `env` over both. Raises BadInput where
    the command or `env` needs one that is not set, and for a file that cannot be read.
    """
    values = _read_env_file(step, project / step.env_file) if step.env_file else {}
    from_outside = dict.fromkeys(values, True)
    for name in step.pass_env:
        if name in environ:
            values[name] = environ[name]
        from_outside[name] = name in values
    for name, text in step.env.items():
        values[name] = _filled(text, values, step, {}, f"its variable {name} is {text!r}")
    for argument in step.command:
        _filled(argument, values, step, {}, f"its command has {argument!r}")
    return StepVariables(values, from_outside)


def argument_of(step: CommandStep, argument: str, values: Mapping[str, str], paths: Mapping[str, str]) -> str:
    """An argument of a step's command with its variables and paths (by `input.NAME` and `output.NAME`) filled in."""
    return _filled(argument, values, step, paths, f"its command has {argument!r}")


def _filled(text: str, values: Mapping[str, str], step: CommandStep, paths: Mapping[str, str], where: str) -> str:
    def fill(found: re.Match[str]) -> str:
        name = found["variable"]
        if name is None:
            return paths.get(found[0][1:-1], found[0])
        if found["plain"]:
            return found[0][1:]
        if name not in values:
            raise _missing(name, step, where)
        return values[name]

    return _PLACES.sub(fill, text)


def _missing(name: str, step: CommandStep, where: str) -> BadInput:
    if name in step.pass_env:
        next_step = f"Set {name} in your shell and `export {name}`, then run the same command again."
    else:
        next_step = (
            f'To let yours through, add pass-env = ["{name}"] to the step in envguard.toml and set {name}; or give it '
            f"a value in the step's env. $${{{name}}} stands for the text ${{{name}}} itself."
        )
    return BadInput(
        f"The step {step.name!r} needs the variable {name}, which is not set.", why=where, next_step=next_step
    )


def _read_env_file(step: CommandStep, path: Path) -> dict[str, str]:
    """The variables of a file with a KEY=VALUE on each line; empty lines and those that begin with # say nothing."""
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_ENV_FILE + 1)
        if len(raw) > LARGEST_ENV_FILE:
            raise ValueError(f"it is larger than {LARGEST_ENV_FILE:,} bytes")
        lines = raw.decode("utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        raise BadInput(
            f"The variables of the step {step.name!r} cannot be read from {step.env_file}.",
            why=error.strerror or str(error) if isinstance(error, OSError) else str(error),
            next_step=f"Write {path}, a KEY=VALUE on each line, or take env-file out of the step.",
        ) from error
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.lstrip().startswith("#"):
            name, value = _variable(line, f"{step.env_file}, line {number},")
            found[name] = value
    return found


def _variable(line: str, where: str) -> tuple[str, str]:
    """The name and value of a line; what it says is not repeated, because it may be a secret."""
    name, equals, value = line.partition("=")
    name, value = name.strip(), value.strip()
    try:
        if not equals:
            raise ValueError("must be of the form KEY=VALUE")
        passable(name)
        if "\0" in value:
            raise ValueError("must not hold a NUL character")
    except ValueError as error:
        raise BadInput(f"{where} cannot be used.", why=f"it {error}", next_step="Correct or remove the line.") from None
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
        value = value[1:-1]
    return name, value
