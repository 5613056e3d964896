"""The result of a step as the store keeps it, and back."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from envguard.catalog.model import CommandStep, Step
from envguard.clock import utc_now
from envguard.files import FileFacts
from envguard.payload.contract import StepFindings, Unreadable, from_json, to_json
from envguard.running.commands.outside import FromOutside
from envguard.running.step import StepResult
from envguard.store.results.kept import KeptResult, keep, take
from envguard.system.moving import remove_tree


def keep_result(
    home: Path, key: str, step: Step, result: StepResult, files: Mapping[str, FileFacts], log: Path
) -> None:
    """Keep what a step came to, unless it is a command that ended badly, which may do better the next time."""
    if isinstance(step, CommandStep) and result.failures:
        return
    document = {
        "step": step.name,
        "date": utc_now(),
        "seconds": result.seconds,
        "network": result.outside.network,
        "notes": list(result.notes),
        "findings": to_json(result.findings),
    }
    keep(home, key, document, {name: facts.path for name, facts in files.items()}, log)


def kept_result(home: Path, key: str, folder: Path) -> StepResult | None:
    """What is kept of a step, whose files are put into the folder as if the step had made them; None if nothing is."""
    kept = take(home, key)
    if kept is None:
        return None
    try:
        result = _result(kept)
        for name, file in result.findings.files.items():
            path = folder / file
            if not path.resolve().is_relative_to(folder.resolve()):
                raise ValueError(f"{file} is not in the step's folder")
            path.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if kept.files[name].is_dir() else shutil.copy)(kept.files[name], path)
    except (OSError, KeyError, TypeError, ValueError, Unreadable):
        # Another process removed it meanwhile, or another envguard wrote it.
        remove_tree(folder, ignore_errors=True)
        folder.mkdir(exist_ok=True)
        return None
    return result


def _result(kept: KeptResult) -> StepResult:
    document = kept.document
    seconds, notes = document["seconds"], document["notes"]
    if not isinstance(seconds, float) or not isinstance(notes, list):
        raise TypeError("it is not what is kept of a step")
    return StepResult(
        from_json(StepFindings, document["findings"]),
        seconds,
        FromOutside(network=str(document["network"])),
        str(document["date"]),
        tuple(map(str, notes)),
    )
