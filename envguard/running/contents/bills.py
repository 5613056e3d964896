"""A bill of materials of an environment: told from its lock and its packages' metadata, written by the step `sbom`."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Literal

from packaging.utils import canonicalize_name

from envguard import __version__
from envguard.errors import StepFailed
from envguard.host.platform import marker_environment, supported_tags
from envguard.locks.lockfile import LockedPackage
from envguard.locks.wheels import PinnedWheel, best_wheels
from envguard.payload.contract import Bill, BilledPackage, Note, Progress, TaskStep, to_json
from envguard.planning import platform_of
from envguard.running.contents.packages import DependencyGraph, dependency_graph, read_packages
from envguard.running.environments.prepared import Prepared
from envguard.running.environments.preparing import Workshop
from envguard.running.events import StepNote, StepProgress
from envguard.running.step import StepOrder, run_step
from envguard.store.scratch import log_file, runs_folder, scratch_folder

WRITER = "sbom"
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def bill_of(prepared: Prepared) -> Bill:
    """What an environment that is ready is made of; the same for the same lock on the same platform."""
    chosen = prepared.candidate
    python, lock = chosen.interpreter, chosen.lock
    markers = marker_environment(python)
    packages = read_packages(prepared.built.layout.site_packages)
    graph = dependency_graph(packages, chosen.edition.requirements, markers)
    billed = [_billed(each, graph) for each in best_wheels(lock, supported_tags(python), markers)]
    billed += [BilledPackage(each.name, each.version, "npm", "SHA-512", each.hex_digest) for each in lock.npm]
    names = {each.name for each in billed}
    known = [replace(each, requires=tuple(sorted(names.intersection(each.requires)))) for each in billed]
    return Bill(
        environment=lock.environment,
        edition=lock.edition,
        python=lock.python,
        platform=platform_of(python).name,
        lock=lock.digest,
        date=_moment(lock.cut_off),
        envguard=__version__,
        roots=tuple(name for name in (*graph.roots, *(each.name for each in lock.npm)) if name in names),
        packages=tuple(known),
    )


def written_bill(bill: Bill, form: str, tools: Workshop) -> bytes:
    """The bill as a document; `tools` has envguard's own environments, of which it makes one ready."""

    def tell(event: Progress | Note) -> None:
        if isinstance(event, Note):
            tools.receive(StepNote(WRITER, event.text))
        else:
            tools.receive(StepProgress(WRITER, event.label, event.done, event.total))

    order = StepOrder(TaskStep(WRITER, f"steps.{WRITER}", {}, {"bill": to_json(bill), "form": form}), {})
    with tools.holding([WRITER]) as (prepared,), scratch_folder(runs_folder(tools.home)) as folder:
        workspace, log = tools.workspace(prepared, folder, ()), log_file(tools.home, WRITER)
        found = run_step(workspace, order, environ=tools.environ, log=log, tell=tell).findings
        if "bill" not in found.files:
            raise StepFailed(f"The step {WRITER!r} wrote nothing.", next_step=f"The whole log: {log}")
        return (folder / found.files["bill"]).read_bytes()


def _billed(pinned: PinnedWheel, graph: DependencyGraph) -> BilledPackage:
    package, name = pinned.package, canonicalize_name(pinned.package.name)
    installed = graph.packages.get(name)
    return BilledPackage(
        name=name,
        version=package.version,
        origin=_origin(package),
        algorithm="SHA-256",
        digest=pinned.wheel.sha256,
        license=installed.license.name if installed else "",
        requires=tuple(graph.needs.get(name, ())),
    )


def _origin(package: LockedPackage) -> Literal["pypi", "project"]:
    return "project" if package.file else "pypi"


def _moment(cut_off: str) -> str:
    """The day of a cut-off date, as a moment of the form that documents have."""
    day = _DATE.match(cut_off)
    return f"{day[0] if day else '1980-01-01'}T00:00:00Z"
