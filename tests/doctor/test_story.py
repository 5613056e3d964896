"""The three failures that this project began with, made to happen again, and what is said of them."""

from __future__ import annotations

import io
import os
import subprocess
from pathlib import Path

import pytest

from envguard.cli.diagnosis.ways_out import ways_for
from envguard.doctor.diagnosing import Diagnosis, diagnose
from envguard.doctor.environments.curing import Surroundings
from envguard.doctor.environments.examining import examine_environment
from envguard.doctor.finding import Finding
from envguard.host.interpreters import HostFacts
from tests.support.broken import Scratch, pip_of, scratch

pytestmark = [pytest.mark.network, pytest.mark.slow]

INTERPRETER = "from ai_edge_litert.interpreter import Interpreter; Interpreter(model_path='none.tflite')"


def diagnosis_of(said: str) -> Diagnosis:
    return diagnose(io.BytesIO(said.encode()))


def examined(environment: Scratch) -> tuple[Finding, ...]:
    nowhere = environment.folder / "nowhere"
    return examine_environment(environment.python, Surroundings(nowhere, nowhere, {"PATH": os.defpath}))


def first_hint(said: str) -> str:
    return diagnosis_of(said).hints[0].rule.identifier


def test_litert_without_its_shared_library(tmp_path: Path, host: HostFacts, store_home: Path) -> None:
    environment = scratch(tmp_path / "venv", host, store_home)
    environment.install("ai-edge-litert==2.3.0", "numpy", "flatbuffers")
    (environment.site_packages / "ai_edge_litert" / "libpywrap_litert_common.so").unlink()
    code, said = environment.run(INTERPRETER)
    assert code != 0
    assert "libpywrap_litert_common.so" in said
    assert first_hint(said) == "litert_common_missing"
    checks = examined(environment)
    (missing,) = [each for each in checks if each.check == "files missing"]
    assert "libpywrap_litert_common.so" in missing.evidence


def test_a_tensorflow_emptied_by_the_removal_of_another(tmp_path: Path, host: HostFacts, store_home: Path) -> None:
    """Measured: 40 s with empty caches, 20 s after that; 1.3 GB while it runs."""
    environment = scratch(tmp_path / "venv", host, store_home)
    environment.install("--prerelease", "allow", "ai-edge-tensorflow")
    environment.install("tensorflow-cpu")
    before = examined(environment)
    (relatives,) = [each for each in before if each.check == "relatives"]
    assert "ai-edge-tensorflow" in relatives.what
    assert "tensorflow-cpu" in relatives.what
    environment.uv("pip", "uninstall", "--python", environment.python, "ai-edge-tensorflow")
    code, said = environment.run("from tensorflow.lite.tools import flatbuffer_utils")
    assert code != 0
    assert "No module named 'tensorflow.lite" in said
    assert first_hint(said) == "tf_lite_tools"
    after = examined(environment)
    assert [each for each in after if each.check == "files missing"]


def test_a_quantizer_and_a_tensorflow_whose_pins_refuse_each_other(
    tmp_path: Path, host: HostFacts, store_home: Path
) -> None:
    pip = pip_of(tmp_path / "venv", host, store_home)
    run = subprocess.run(
        [pip, "install", "--dry-run", "ai-edge-quantizer==0.1.0", "tensorflow==2.18.0"],
        env={**os.environ, "PIP_NO_INPUT": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert run.returncode != 0
    assert "ResolutionImpossible" in run.stdout
    diagnosis = diagnosis_of(run.stdout)
    assert diagnosis.hints[0].rule.identifier == "resolution_impossible"
    assert diagnosis.conflict is not None
    assert diagnosis.conflict.package == "tensorflow"
    assert {(each.requirement, each.by) for each in diagnosis.conflict.demands} == {
        ("tensorflow==2.18.0", "you"),
        ("tensorflow>=2.19.0", "ai-edge-quantizer==0.1.0"),
    }
    # No edition is left that wants a TensorFlow; what the pins are for is had without one.
    assert not [way for way in ways_for(diagnosis.conflict) if "tensorflow==2.18.0" in way.keeps]
