"""Run the check of an installed environment: the result is a proof, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from envguard.backends.protocol import Workspace
from envguard.catalog.model import Sample
from envguard.clock import utc_now
from envguard.errors import CheckFailed, EnvguardError, Interrupted, StepFailed
from envguard.locks.proofs import Proof
from envguard.payload.contract import CheckFindings, FileRecord, Json, TaskStep, to_json
from envguard.planning import Candidate, platform_of
from envguard.running.command_step import CommandRun, run_check_command
from envguard.running.step import StepOrder, StepResult, Told, run_step

SAMPLES = "checks.samples"


def check_environment(
    candidate: Candidate,
    workspace: Workspace,
    inputs: Mapping[str, Path],
    held: Sequence[Sample],
    environ: Mapping[str, str],
    log: Path,
) -> Proof:
    """Run a candidate's check in its workspace; `inputs` are the check's, `held` the samples in the environment.

    Raises CheckFailed.
    """
    what = f"The check of {candidate} failed."
    try:
        result = _result(candidate, workspace, inputs, held, environ, log)
    except Interrupted:
        raise
    except EnvguardError as error:
        ran = isinstance(error, StepFailed)
        raise CheckFailed(what, why=f"{error.what} {error.why}", next_step=error.next_step, of_the_check=ran) from error
    if result.failures:
        first = result.failures[0]
        raise CheckFailed(what, why=first.message, next_step=first.next, gate=first.name)
    python, values = candidate.interpreter, result.findings.values
    place = platform_of(python)
    return Proof(
        lock=candidate.lock.digest,
        python=python.version_text,
        platform=place.name,
        libc=python.facts.libc_text,
        os_version=place.os_version,
        date=utc_now(),
        check=candidate.environment.check,
        seconds=round(result.seconds, 3),
        found=values.facts if isinstance(values, CheckFindings) else {},
    )


def _result(
    candidate: Candidate,
    workspace: Workspace,
    inputs: Mapping[str, Path],
    held: Sequence[Sample],
    environ: Mapping[str, str],
    log: Path,
) -> StepResult:
    environment = candidate.environment
    if environment.check_command:
        return run_check_command(environment, inputs, CommandRun(workspace, environment.folder, environ, log))
    options: dict[str, Json] = dict(environment.check_options)
    if environment.check == SAMPLES:
        options["files"] = [
            to_json(FileRecord(file.path, file.bytes, file.sha256)) for each in held for file in each.files
        ]
    files = {"site-packages": (workspace.layout.site_packages,), **{name: (path,) for name, path in inputs.items()}}
    order = StepOrder(TaskStep("check", environment.check, {}, options), files)
    return run_step(workspace, order, environ=environ, log=log, tell=_ignore)


def _ignore(_event: Told) -> None:
    """A check's progress is too short to show."""
