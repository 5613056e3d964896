"""The built-in task gives a bundle the pictures of its kind to be calibrated, judged and verified with.

Without its quantizing: the original is verified against itself, so the wiring is tried in seconds.
"""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from envguard.catalog import builtin_catalog
from envguard.catalog.model import Task
from envguard.models.text.verification import verification_lines
from envguard.payload.contract import CalibrateFindings, VerifyFindings
from envguard.payload.door.references import TASK, Reference
from tests.support.environments import workshop
from tests.support.tasks import run_on

pytestmark = [pytest.mark.network, pytest.mark.slow]


def without_quantizing() -> Task:
    """The task `quantize` whose verdict is on its own input, and whose output is what models are calibrated with."""
    task = builtin_catalog().tasks["quantize"]
    inspect, calibrate, verify = (step for step in task.steps if step.name in ("inspect", "calibrate", "verify"))
    assert verify.inputs["quantized"] == Reference("quantize", "quantized")
    verify = replace(verify, inputs={**verify.inputs, "quantized": Reference(TASK, "input")})
    return replace(task, steps=(inspect, calibrate, verify), outputs={"output": Reference("calibrate", "calibration")})


HANDS = ("hand_detector", "hand_landmarks_detector")
IN_GESTURES = (
    *(f"hand_landmarker/{name}" for name in HANDS),
    *(f"hand_gesture_recognizer/gesture_embedder:{number}" for number in range(3)),
)


@pytest.mark.parametrize(
    ("sample", "kind", "inputs"),
    [("hand_landmarker", "hand", HANDS), ("gesture_recognizer", "gesture", IN_GESTURES)],
    ids=["hand", "gesture"],
)
def test_bundles_for_hands_are_calibrated_and_verified_with_pictures_of_hands(
    sample: str, kind: str, inputs: tuple[str, ...], store_home: Path, tmp_path: Path
) -> None:
    shop = workshop(store_home)
    (bundle,) = shop.sample(sample).values()
    result = run_on(without_quantizing(), {"input": bundle}, tmp_path / "calibration.npz", shop)
    assert result.failures == ()
    verify = result.record.found(VerifyFindings)
    assert verify is not None
    assert (verify.verified, verify.kind) == (True, kind)
    assert verify.measures is not None
    assert verify.measures.counts.before >= 60
    assert verify.measures.counts.lost == 0
    assert verification_lines(verify)[1].startswith("  hands")
    calibrate = result.record.found(CalibrateFindings)
    assert calibrate is not None
    assert calibrate.inputs.keys() == set(inputs)
    assert calibrate.held_out.keys() == calibrate.inputs.keys()
    assert min(calibrate.inputs.values()) >= 40
    assert min(calibrate.held_out.values()) >= 12
    with zipfile.ZipFile(tmp_path / "calibration.npz") as arrays:
        assert set(arrays.namelist()) == {f"{name}.npy" for name in calibrate.inputs}
