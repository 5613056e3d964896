"""What the result of a step depends on, as one hash: the same hash, the same result."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from envguard import __version__
from envguard.catalog.model import CommandStep, Step
from envguard.files import FileFacts, FolderFacts
from envguard.host.variables import step_variables
from envguard.payload.contract import RUN, Findings, RefusedAttempt, to_json
from envguard.running.environments.prepared import Prepared
from envguard.running.task_order import TaskOrder

SCHEMA = 1
# Which change from run to run and from user to user, and no result.
NOT_OF_THE_RESULT = {"PATH", "TMPDIR", "TEMP", "TMP"}
NO_FINDINGS: Mapping[str, Findings] = {}


@dataclass(frozen=True, slots=True)
class Circumstances:
    """All that a step is given, besides what the catalog says of it."""

    code: str
    environment: Prepared
    inputs: Mapping[str, tuple[FileFacts, ...]]
    environ: Mapping[str, str]
    options: Mapping[str, object] = field(default_factory=dict)
    findings: Mapping[str, Findings] = field(default_factory=lambda: NO_FINDINGS)
    refused: tuple[RefusedAttempt, ...] = ()
    attempts_left: int = 0
    drivers: str = ""


def may_be_kept(step: Step, order: TaskOrder, environment: Prepared) -> bool:
    """Whether a hash is known of all that a step's result depends on.

    None is of the network, of variables of the user's, and of tools. A command may read any file of its project: one
    that makes something of inputs names them, but tests and linters do not, so they must not say yes from memory. A
    step of envguard's own on request drives a program of the host, such as its browser. What reports on the run itself
    is new each time.
    """
    if isinstance(step, CommandStep):
        if not (order.task.outputs and step.inputs and step.outputs):
            return False
        return not (step.network or step.pass_env or step.env_file or step.tools)
    if step.name in order.drivers and (not order.drivers[step.name] or environment.candidate.interpreter.base):
        return False  # a container has drivers of its own
    return not step.on_request and all(each.source != RUN for each in step.inputs.values())


def key_of(step: Step, given: Circumstances) -> str:
    """SHA-256 in hex over the step and its circumstances, this envguard and the model of the processor."""
    definition = asdict(step)
    for name in {"measures", "retries", "on_request", "timeout"} & definition.keys():
        del definition[name]
    definition["inputs"] = {name: str(reference) for name, reference in step.inputs.items()}
    variables = step_variables(given.environ)
    document = {
        "schema": SCHEMA,
        "envguard": __version__,
        "step": definition,
        "code": given.code,
        "environment": given.environment.installed.key,
        "inputs": {name: [_file(facts) for facts in files] for name, files in given.inputs.items()},
        "variables": {name: value for name, value in variables.items() if name not in NOT_OF_THE_RESULT},
        "options": to_json(dict(given.options)),
        "findings": {name: to_json(each) for name, each in given.findings.items()},
        "refused": [to_json(each) for each in given.refused],
        "attempts_left": given.attempts_left,
        "drivers": given.drivers,
        # Of what is measured; and where numbers are computed in another order, they may differ in their last bit.
        "processor": [processor_model(), os.cpu_count()],
    }
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode("utf-8", "surrogateescape")).hexdigest()


@functools.cache
def processor_model() -> str:
    """The name of this machine's processor; where the system does not tell it apart from others, also the machine's."""
    if sys.platform.startswith("linux"):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return f"{platform.machine()} {platform.processor()} {platform.node()}"


def _file(facts: FileFacts) -> list[object]:
    return [facts.path.name, facts.sha256, isinstance(facts, FolderFacts)]
