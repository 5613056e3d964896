"""Every edition of the quantizer that is offered quantizes Google's bundle, unchanged, on each Python of this host."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest

from envguard.catalog import builtin_catalog
from envguard.host.interpreters import HostFacts
from envguard.payload.door.references import TASK, Reference
from envguard.planning import best_interpreter
from envguard.running.environments.preparing import Workshop
from envguard.running.environments.recorded import recorded_proofs
from tests.support.environments import Events
from tests.support.tasks import run_on

pytestmark = [pytest.mark.network, pytest.mark.slow]

QUANTIZE = builtin_catalog().environments["quantize"]
OFFERED = [edition.name for edition in QUANTIZE.editions if edition.offered]
# Measured: these give the same bytes; 0.4.1 writes some buffers differently.
OF_ONE_MIND = ("0.10", "litert-0.11", "0.9", "0.6")


def python_for(edition: str, host: HostFacts) -> str:
    """The Python to try an edition on: 3.9 where it works, as no other edition covers it."""
    proved = {proof.minor for proof in recorded_proofs(QUANTIZE)[edition] if proof.works}
    here = [minor for minor in ("3.9", *QUANTIZE.editions[0].pythons) if best_interpreter(host.interpreters, minor)]
    return next(minor for minor in here if minor in proved)


def quantized(edition: str, host: HostFacts, home: Path, folder: Path) -> str:
    """The SHA-256 of what an edition makes of the sample; MediaPipe's own word is left to the whole task's test."""
    shop = Workshop(
        home=home,
        user_home=Path.home(),
        environ=dict(os.environ),
        catalog=builtin_catalog(),
        receive=Events(),
        editions={"quantize": edition},
        pythons={"quantize": python_for(edition, host)},
    )
    whole = shop.catalog.tasks["quantize"]
    # Without calibration pictures, which take most of the time and come from another environment.
    steps = {step.name: step for step in whole.steps}
    alone = dataclasses.replace(steps["quantize"], inputs={"model": Reference(TASK, "input")})
    task = dataclasses.replace(whole, steps=(steps["inspect"], alone))
    (source,) = shop.sample("face_landmarker").values()
    result = run_on(task, {"input": source}, folder / f"{edition}.task", shop)
    assert result.passed, result.failures
    assert result.output is not None
    assert result.environments[0].candidate.edition.name == edition
    return result.output.sha256


def test_each_edition_quantizes_the_bundle(store_home: Path, host: HostFacts, tmp_path: Path) -> None:
    digests = {edition: quantized(edition, host, store_home, tmp_path) for edition in OFFERED}
    assert set(digests) >= {*OF_ONE_MIND, "0.4.1"}
    assert len({digests[edition] for edition in OF_ONE_MIND}) == 1
