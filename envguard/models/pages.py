"""The page of a run: what a payload step in an environment of its own makes of the record and of what steps left."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from envguard.errors import StepFailed
from envguard.payload.contract import Reference, Run, to_json
from envguard.running.events import StepEnded, StepStarted
from envguard.running.preparing import Workshop
from envguard.running.step import run_step, scratch_folder
from envguard.store.home import log_file, runs_folder

ENVIRONMENT = "report"
STEP = "steps.report"
KEPT = {"details": "verify:details", "samples": "compare:samples"}


@dataclass(frozen=True, slots=True)
class PageMaker:
    """Makes the page of one run; `keep` says where the run is to leave the files that its steps hand on."""

    workshop: Workshop
    folder: Path

    @property
    def keep(self) -> dict[Reference, Path]:
        """Where to copy a file, by its reference."""
        return {Reference.parse(reference): self._given / f"{name}.json" for name, reference in KEPT.items()}

    @property
    def _given(self) -> Path:
        return self.folder / "in"

    def make(self, record: Run) -> bytes:
        """The page of the run, HTML in UTF-8; raises StepFailed if it cannot be made."""
        self.workshop.receive(StepStarted(ENVIRONMENT, ENVIRONMENT))
        inputs = {name: self._given / f"{name}.json" for name in KEPT if (self._given / f"{name}.json").is_file()}
        inputs["document"] = self._given / "document.json"
        inputs["document"].write_text(json.dumps(to_json(record)), encoding="utf-8")
        work = self.folder / "work"
        work.mkdir()
        result = run_step(
            self.workshop.workspace(self.workshop.prepare(ENVIRONMENT), work, [self._given]),
            STEP,
            name=ENVIRONMENT,
            inputs={name: (path,) for name, path in inputs.items()},
            options={},
            findings={},
            environ=self.workshop.environ,
            log=log_file(self.workshop.home, f"page-{ENVIRONMENT}"),
            on_event=lambda event: None,
        )
        page = work / Path(str(result.values["files"]["page"])).name
        if page.is_symlink() or not page.is_file():
            raise StepFailed(
                "The report's step made no page.", next_step="Run again with --debug, and attach `envguard report-bug`."
            )
        self.workshop.receive(StepEnded(ENVIRONMENT, result.seconds, ()))
        return page.read_bytes()


@contextlib.contextmanager
def page_maker(workshop: Workshop) -> Iterator[PageMaker]:
    """A maker of one page, its environment ready before the run, so that no run is in vain for want of it."""
    with workshop.holding([ENVIRONMENT]), scratch_folder(runs_folder(workshop.home)) as folder:
        (folder / "in").mkdir()
        yield PageMaker(workshop, folder)
