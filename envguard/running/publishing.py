"""Hand the files of a run to the user: each appears whole, and none before all are written."""

from __future__ import annotations

import contextlib
import itertools
import shutil
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from envguard.errors import BadInput, StepFailed
from envguard.files import (
    FileFacts,
    FolderFacts,
    appearing_whole,
    check_folder_place,
    check_place,
    folder_appearing_whole,
)
from envguard.payload.contract import Reference
from envguard.running.run_files import EXECUTABLE, RunFiles


def publish(
    outputs: Mapping[str, Reference],
    files: RunFiles,
    target: Path,
    sources: Iterable[Path],
    replaceable: Collection[str] = (),
) -> dict[str, FileFacts]:
    """Write a task's outputs to `target`, a file for one and a folder for several; raises BadInput for a source.

    An output that is a folder takes the place of nothing but a folder with one of the `replaceable` hashes.
    """
    made = {name: _made(reference, files) for name, reference in outputs.items()}
    if len(made) == 1:
        targets = dict.fromkeys(made, target)
    else:
        target.mkdir(exist_ok=True)
        targets = {name: target / facts.path.name for name, facts in made.items()}
    for path, source in itertools.product(targets.values(), sources):
        if path.exists() and path.samefile(source):
            raise BadInput(
                f"The output {path} is an input of the run.",
                why="an input is never written to",
                next_step="Name another folder with -o.",
            )
    return _write_all({name: (facts, targets[name]) for name, facts in made.items()}, replaceable)


def publish_reports(
    reports: Mapping[str, Reference], files: RunFiles, targets: Mapping[str, Path]
) -> dict[str, FileFacts]:
    """Write the reports that were asked for, each to its own target, whose folder is made if it is not there."""
    for target in targets.values():
        target.parent.mkdir(exist_ok=True)
    return _write_all({name: (_made(reports[name], files), target) for name, target in targets.items()})


def _write_all(files: Mapping[str, tuple[FileFacts, Path]], replaceable: Collection[str] = ()) -> dict[str, FileFacts]:
    """Copy each file to its target, if all targets may be written to: they may have changed since the run began."""
    for facts, target in files.values():
        if isinstance(facts, FolderFacts):
            check_folder_place(target, replaceable)
        else:
            check_place(target)
    with contextlib.ExitStack() as stack:
        for facts, target in files.values():
            if isinstance(facts, FolderFacts):
                folder = stack.enter_context(folder_appearing_whole(target, replaceable))
                for each in facts.files:
                    _copy_writable(each.path, folder / each.path.relative_to(facts.path))
                continue
            out = stack.enter_context(appearing_whole(target))
            with facts.path.open("rb") as made:
                shutil.copyfileobj(made, out)
    return {name: replace(facts, path=target) for name, (facts, target) in files.items()}


def _copy_writable(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(target.stat().st_mode | (source.stat().st_mode & EXECUTABLE))


def _made(reference: Reference, files: RunFiles) -> FileFacts:
    if reference not in files:
        raise StepFailed(f"No step made '{reference}'.", next_step="Correct the task's outputs in the catalog.")
    return files[reference][0]
