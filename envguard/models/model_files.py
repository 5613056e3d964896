"""Which models a command means, and where the output of each goes: files, folders of files, samples."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from envguard.cli.sources import SAMPLE, named_source
from envguard.errors import BadInput
from envguard.running.checking_files import check_output
from envguard.running.environments.preparing import Workshop
from envguard.running.receipt import SUFFIX as RECEIPT_SUFFIX

SUFFIXES = (".task", ".tflite")
MARK = ".int8"


@dataclass(frozen=True, slots=True)
class Model:
    """A model to quantize: the user's word for it, the file that it is, where the output goes, and the page if any."""

    named: str
    source: Path
    target: Path
    page: Path | None = None


def is_one(arguments: Sequence[str]) -> bool:
    """Whether the arguments name one model: a folder stands for several, whatever it holds."""
    return len(arguments) == 1 and not Path(arguments[0]).expanduser().is_dir()


def one_model(named: str, output: Path | None, workshop: Workshop) -> Model:
    """The model of that name; its output is `output`, else a file beside it."""
    source = named_source(named, workshop)
    return Model(named, source, (output or _default_output(named, source)).absolute())


def several_models(arguments: Sequence[str], folder: Path | None, workshop: Workshop) -> dict[str, Model]:
    """Every model that is meant, by a name that tells it from the others; outputs go into `folder`, else beside each.

    Raises BadInput where a folder holds no model, and where an output would be an input or another output.
    """
    found = []
    for named in (each for argument in arguments for each in _in_folder(argument)):
        source = named_source(named, workshop)
        output = _default_output(named, source)
        found.append(Model(named, source, (folder / output.name if folder else output).absolute()))
    _refuse_clashes(found)
    names = [model.source.name for model in found]
    return {model.named if names.count(name) > 1 else name: model for name, model in zip(names, found, strict=True)}


def offered_models(folder: Path) -> list[str]:
    """The names of the models in a folder, bundles first; raises OSError."""
    return sorted(model_names(folder), key=lambda name: not name.endswith(SUFFIXES[0]))


def default_name(source: Path) -> str:
    """What the output of a model is called unless the user names it."""
    return f"{source.stem}{MARK}{source.suffix}"


def check_report(report: Path, models: Sequence[Model]) -> None:
    """Refuse a report that would be written over a model, its output or receipt, or where no file can be made."""
    check_output(report.absolute(), None)
    taken = [path for model in models for path in (model.source, model.target, Path(f"{model.target}{RECEIPT_SUFFIX}"))]
    if _key(report) in map(_key, taken):
        raise BadInput(f"The report {report} is an input or an output of the run.", next_step="Name another file.")


def _in_folder(argument: str) -> list[str]:
    """The models of a folder, by name, without those that an earlier run has made; any other argument as it is."""
    folder = Path(argument).expanduser()
    if argument.startswith(SAMPLE) or not folder.is_dir():
        return [argument]
    try:
        names = model_names(folder)
    except OSError as error:
        raise BadInput(
            f"The folder {folder} cannot be read.",
            why=error.strerror or str(error),
            next_step="Name the models themselves, or a folder that you can read.",
        ) from error
    if not names:
        raise BadInput(
            f"The folder {folder} contains no models.",
            why=f"a model ends in {' or '.join(SUFFIXES)}, but not in "
            f"{' or '.join(f'{MARK}{suffix}' for suffix in SUFFIXES)}; subfolders are not searched",
            next_step="Name another folder, or the files themselves.",
        )
    return [str(folder / name) for name in names]


def model_names(folder: Path) -> list[str]:
    """The names of a folder's own models, without those that an earlier run has made; raises OSError."""
    return sorted(path.name for path in folder.iterdir() if _is_model(path))


def _is_model(path: Path) -> bool:
    suffix = path.suffix.lower()
    return (
        suffix in SUFFIXES and not path.name.startswith(".") and not path.stem.lower().endswith(MARK) and path.is_file()
    )


def _default_output(named: str, source: Path) -> Path:
    """NAME.int8.SUFFIX beside the model; for a sample in the current folder, as the store is not the user's."""
    name = default_name(source)
    return Path(name) if named.startswith(SAMPLE) else source.with_name(name)


def _refuse_clashes(models: Sequence[Model]) -> None:
    sources = {_key(model.source): model for model in models}
    targets: dict[str, Model] = {}
    for model in models:
        key = _key(model.target)
        if key in sources:
            raise BadInput(
                f"The output of {model.named} is {sources[key].named}, which is an input.",
                why="an input is never written to",
                next_step="Leave one of them out, or name another folder with -o.",
            )
        if key in targets:
            raise BadInput(
                f"The outputs of {targets[key].named} and {model.named} are the same file.",
                why=str(model.target),
                next_step="Name each model once; quantize models of one name separately, into different folders.",
            )
        targets[key] = model


def _key(path: Path) -> str:
    """The same text for the same file, whether it is there or not."""
    real = os.path.realpath(path)
    return real.casefold() if sys.platform in ("darwin", "win32") else real
