"""Hand the files of a run to the user: each appears whole, and none before all are written."""

from __future__ import annotations

import contextlib
import itertools
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from envguard.errors import BadInput, StepFailed
from envguard.files import FileFacts, appearing_whole, check_place
from envguard.payload.contract import Reference
from envguard.running.run_files import RunFiles


def publish(
    outputs: Mapping[str, Reference], files: RunFiles, target: Path, sources: Iterable[Path]
) -> dict[str, FileFacts]:
    """Write a task's outputs to `target`, a file for one and a folder for several; raises BadInput for a source."""
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
    return _write_all({name: (facts, targets[name]) for name, facts in made.items()})


def publish_reports(
    reports: Mapping[str, Reference], files: RunFiles, targets: Mapping[str, Path]
) -> dict[str, FileFacts]:
    """Write the reports that were asked for, each to its own target, whose folder is made if it is not there."""
    for target in targets.values():
        target.parent.mkdir(exist_ok=True)
    return _write_all({name: (_made(reports[name], files), target) for name, target in targets.items()})


def _write_all(files: Mapping[str, tuple[FileFacts, Path]]) -> dict[str, FileFacts]:
    """Copy each file to its target, if all targets may be written to: they may have changed since the run began."""
    for _, target in files.values():
        check_place(target)
    with contextlib.ExitStack() as stack:
        for facts, target in files.values():
            out = stack.enter_context(appearing_whole(target))
            with facts.path.open("rb") as made:
                shutil.copyfileobj(made, out)
    return {name: FileFacts(target, facts.bytes, facts.sha256) for name, (facts, target) in files.items()}


def _made(reference: Reference, files: RunFiles) -> FileFacts:
    if reference not in files:
        raise StepFailed(f"No step made '{reference}'.", next_step="Correct the task's outputs in the catalog.")
    return files[reference][0]
