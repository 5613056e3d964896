"""`envguard run quantize` from end to end: real environments, Google's real bundle, MediaPipe's own word."""

from __future__ import annotations

import dataclasses
import hashlib
import sys
import zipfile
from pathlib import Path
from types import MappingProxyType

import pytest

from envguard.errors import BadInput
from envguard.models.text.quantization import as_markdown, as_text
from envguard.payload.contract import (
    Measures,
    QuantizeDocument,
    QuantizeFindings,
    VerifyFindings,
    quantize_document,
    to_json,
)
from envguard.running.pipeline import TaskResult, run_task
from envguard.running.task_order import Overrides, TaskOrder
from tests.support.command import Ended, envguard
from tests.support.documents import problems
from tests.support.environments import workshop
from tests.support.tasks import run_on

pytestmark = [pytest.mark.network, pytest.mark.slow]

POISON = "raise SystemExit('poison was imported')\n"
LARGEST_BUNDLE = 2_150_000

MEASURING = ("compare", "verify")


@pytest.fixture(scope="module")
def bundle(store_home: Path) -> Path:
    """Google's face_landmarker.task."""
    (path,) = workshop(store_home).sample("face_landmarker").values()
    return path


@pytest.fixture(scope="module")
def models(store_home: Path) -> Path:
    """The folder of the models that MediaPipe's wheel ships."""
    return workshop(store_home).prepare("verify").built.layout.site_packages / "mediapipe" / "modules"


def poison(folder: Path) -> dict[str, str]:
    """A host whose every Python setting leads to modules that end the process."""
    minor = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    for place in (folder, folder / "user" / "lib" / minor / "site-packages"):
        place.mkdir(parents=True, exist_ok=True)
        for module in ("numpy", "sitecustomize", "usercustomize", "mediapipe"):
            (place / f"{module}.py").write_text(POISON)
    (folder / "libstdc++.so.6").write_bytes(b"not a library")
    evil = str(folder)
    return {
        "PYTHONPATH": evil,
        "PYTHONHOME": evil,
        "PYTHONUSERBASE": str(folder / "user"),
        "LD_LIBRARY_PATH": evil,
        "VIRTUAL_ENV": evil,
        "CONDA_PREFIX": evil,
    }


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def poisoned_run(store_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """The sample quantized on a poisoned host, in a current folder with stray modules."""
    folder = tmp_path_factory.mktemp("poisoned")
    return envguard(
        "run", "quantize", "sample:face_landmarker", "--json", "--report", "report.md",
        home=store_home, cwd=folder, **poison(folder),
    )  # fmt: skip


def test_the_sample_is_quantized_and_verified_on_a_poisoned_host(poisoned_run: Ended, bundle: Path) -> None:
    assert poisoned_run.code == 0, poisoned_run.err
    document = poisoned_run.document
    assert problems(document, "QuantizeDocument") == []
    assert document["verdict"] == "yes"
    assert document["failures"] == []
    assert document["input"]["bytes"] == 3_758_596
    assert document["input"]["sha256"] == sha256(bundle)
    output = Path(document["output"]["path"])
    assert output.name == "face_landmarker.int8.task"
    assert output.stat().st_size == document["output"]["bytes"] <= LARGEST_BUNDLE
    assert document["output"]["sha256"] == sha256(output)
    assert document["ratio"] == pytest.approx(document["output"]["bytes"] / 3_758_596)
    assert output.with_name("report.md").read_text(encoding="utf-8").startswith("# quantize: yes")


def test_every_model_is_smaller_compared_and_no_slower(poisoned_run: Ended) -> None:
    models = poisoned_run.document["models"]
    assert [model["name"] for model in models] == ["face_detector", "face_landmarks_detector", "face_blendshapes"]
    # Int8 in all of the detector would cost more accuracy than it is worth in bytes.
    for model, share in zip(models, (0.9, 0.57, 0.55), strict=True):
        assert model["quantized"]
        assert model["bytes_out"] < share * model["bytes_in"]
        assert model["latency"]["ratio"] <= 1.05
        assert model["outputs"]
        assert all(output["finite"] for output in model["outputs"])


def test_every_model_is_judged_on_inputs_that_calibration_did_not_see_and_profiled(poisoned_run: Ended) -> None:
    document = poisoned_run.document
    for model in document["models"]:
        assert model["inputs"] == "held-out"
        assert model["inputs_tried"] >= 8
        assert all(output["snr_db"] > 0 for output in model["outputs"])
        assert model["load"]["original_ms"] > 0
        assert (model["two_threads"] is None) == (document["processors"] < 2)
        for which in ("original", "quantized"):
            profile = model["profile"][which]
            assert sum(each["ms"] for each in profile["kinds"]) <= profile["ms"]
    assert Path(document["output"]["path"]).with_name("report.md").read_text(encoding="utf-8").count("## Time") == 1


def test_mediapipe_finds_the_same_faces(poisoned_run: Ended) -> None:
    verify = poisoned_run.document["verify"]
    assert verify["verified"]
    measures = verify["measures"]
    assert measures["counts"]["things"] == "faces"
    assert measures["counts"]["before"] >= 100
    assert measures["counts"]["lost"] == 0
    assert measures["landmark_shift"]["crop_side"] == 256
    assert 0 < measures["landmark_shift"]["px"]["mean"] <= 0.38
    assert measures["scores"]["name"] == "blendshapes"
    assert 0 < measures["scores"]["mean_abs"] <= 0.008
    assert verify["noise"]["landmark_shift"]["px"]["mean"] > 0


@pytest.mark.usefixtures("gpu")
def test_the_gpu_finds_the_same_faces_as_with_the_original_there(poisoned_run: Ended) -> None:
    road = next(each for each in poisoned_run.document["roads"] if each["road"] == "gpu")
    assert road["run"]["copy_taken"]
    measures = road["run"]["measures"]
    assert measures["counts"]["lost"] == 0
    assert 0 < measures["landmark_shift"]["px"]["mean"] <= 0.30


def test_no_picture_serves_both_to_calibrate_and_to_verify(store_home: Path) -> None:
    samples = workshop(store_home).catalog.samples
    calibrated, verified = ({file.sha256 for file in samples[name].files} for name in ("faces-calibration", "faces"))
    assert calibrated
    assert not calibrated & verified


def test_the_environments_are_named_with_their_proofs(poisoned_run: Ended) -> None:
    environments = {each["name"]: each for each in poisoned_run.document["environments"]}
    assert environments.keys() == {"quantize", "verify", "samples"}
    for each in environments.values():
        assert each["proof"]["lock"] == each["lock"]
        assert each["proof"]["python"] == each["python"]


def test_every_member_of_the_bundle_is_kept_in_order_and_stored(poisoned_run: Ended, bundle: Path) -> None:
    with zipfile.ZipFile(bundle) as before, zipfile.ZipFile(poisoned_run.document["output"]["path"]) as after:
        assert after.namelist() == before.namelist()
        assert len(after.namelist()) == 4
        assert all(member.compress_type == zipfile.ZIP_STORED for member in after.infolist())
        geometry = "geometry_pipeline_metadata_landmarks.binarypb"
        assert after.read(geometry) == before.read(geometry)


def measures_of(document: QuantizeDocument) -> Measures:
    """What verifying measured, which it did."""
    assert document.verify is not None
    assert document.verify.measures is not None
    return document.verify.measures


def run(
    store_home: Path,
    source: Path,
    output: Path,
    options: Overrides = MappingProxyType({}),
    without: str = "",
    page: Path | None = None,
) -> TaskResult:
    """The task, or the task without one of its steps."""
    shop = workshop(store_home)
    whole = shop.catalog.tasks["quantize"]
    task = dataclasses.replace(whole, steps=tuple(step for step in whole.steps if step.name != without))
    reports = {"page": page} if page else {}
    return run_task(TaskOrder(task, {"input": (source,)}, output, options, reports), shop)


def test_the_recipe_that_was_found_gives_the_same_bytes_on_another_python_without_a_search(
    store_home: Path, bundle: Path, tmp_path: Path, poisoned_run: Ended
) -> None:
    shop = dataclasses.replace(workshop(store_home), pythons={"quantize": "3.10"})
    whole = shop.catalog.tasks["quantize"]
    task = dataclasses.replace(whole, steps=tuple(step for step in whole.steps if step.name not in MEASURING))
    options: Overrides = {"quantize": {"recipe": poisoned_run.document["recipe"]}}
    result = run_on(task, {"input": bundle}, tmp_path / "out.task", shop, options)
    assert result.output is not None
    assert result.output.sha256 == poisoned_run.document["output"]["sha256"]
    found = result.record.found(QuantizeFindings)
    assert found is not None
    assert not any(model.candidates for model in found.models)


def test_every_recipe_that_was_tried_is_told_with_what_became_of_it(poisoned_run: Ended) -> None:
    for model in poisoned_run.document["models"]:
        outcomes = [candidate["outcome"] for candidate in model["candidates"]]
        assert len(outcomes) >= 2
        assert outcomes.count("taken") == 1


def test_for_speed_a_call_takes_less_time_within_wider_limits(store_home: Path, bundle: Path, tmp_path: Path) -> None:
    ended = envguard(
        "run", "quantize", bundle, "--goal", "speed", "-o", tmp_path / "out.task", "--json", home=store_home
    )
    assert ended.code == 0, ended.err
    measures = ended.document["verify"]["measures"]
    assert ended.document["output"]["bytes"] <= 2_200_000
    assert measures["counts"]["lost"] == 0
    assert measures["landmark_shift"]["px"]["mean"] <= 0.5
    assert measures["scores"]["mean_abs"] <= 0.012
    landmarks = next(model for model in ended.document["models"] if model["name"] == "face_landmarks_detector")
    # Which of them a processor gains by, and whether every output bears it, differs from one to the next.
    assert any("convolutions" in candidate["name"] for candidate in landmarks["candidates"])


def test_blendshapes_can_be_dropped(store_home: Path, bundle: Path, tmp_path: Path, poisoned_run: Ended) -> None:
    chosen = {"drop": ["face_blendshapes"], "recipe": poisoned_run.document["recipe"]}
    result = run(store_home, bundle, tmp_path / "out.task", {"quantize": chosen})
    document = quantize_document(result.record)
    assert result.passed, result.failures
    assert document.dropped == ("face_blendshapes",)
    assert measures_of(document).scores is None
    with zipfile.ZipFile(tmp_path / "out.task") as out:
        assert "face_blendshapes.tflite" not in out.namelist()
        assert len(out.namelist()) == 3


def test_for_size_a_large_layer_is_compressed_and_the_report_says_so(
    store_home: Path, bundle: Path, tmp_path: Path
) -> None:
    options: Overrides = {"quantize": {"goal": "size", "low_rank": True}, "verify": {"goal": "size"}}
    result = run(store_home, bundle, tmp_path / "out.task", options, "compare")
    assert result.passed, result.failures
    assert result.output is not None
    assert result.output.bytes <= 1_600_000
    document = quantize_document(result.record)
    measures = measures_of(document)
    assert measures.counts.lost == 0
    assert measures.landmark_shift is not None
    assert measures.landmark_shift.px.mean <= 0.45
    assert measures.scores is not None
    assert measures.scores.mean_abs <= 0.010
    assert "face_landmarks_detector: compressed, not quantized" in as_text(document)


def test_for_accuracy_landmarks_move_half_as_far(store_home: Path, bundle: Path, tmp_path: Path) -> None:
    options: Overrides = {"quantize": {"goal": "accuracy", "target": "cpu"}}
    result = run(store_home, bundle, tmp_path / "out.task", options, "compare")
    assert result.passed, result.failures
    shift = measures_of(quantize_document(result.record)).landmark_shift
    assert shift is not None
    assert shift.px.mean <= 0.2


def test_gates_that_are_not_passed_are_named_and_leave_no_output_but_a_page(
    store_home: Path, bundle: Path, tmp_path: Path, poisoned_run: Ended
) -> None:
    limits = {"max_faces_lost": -1, "max_landmark_px": 0.001, "max_blendshape": 0.00001}
    options: Overrides = {"quantize": {"recipe": poisoned_run.document["recipe"]}, "verify": limits}
    result = run(store_home, bundle, tmp_path / "out.task", options, without="compare", page=tmp_path / "page.html")
    assert result.report_error is None
    document = quantize_document(result.record)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert {failure.name for failure in result.failures} == {"faces-lost", "landmark-shift", "blendshape-shift"}
    assert result.output is None
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    assert problems(to_json(document), "QuantizeDocument") == []
    assert document.verdict == "no"
    for text in (as_text(document), as_markdown(document)):
        assert "verdict: no. Nothing was written." in text
    assert ">no</span></h1>" in page
    assert page.index("blendshape-shift") < page.index('id="size"')
    assert page.count('<image href="data:image/jpeg;base64,') == 8 + 6
    assert "mouthSmileLeft" in page


@pytest.mark.parametrize("name", ["face_landmark.tflite", "face_detection_short_range.tflite", "pose_detection.tflite"])
def test_a_bare_model_for_a_cpu_works_just_as_well(store_home: Path, models: Path, tmp_path: Path, name: str) -> None:
    (source,) = models.rglob(name)
    result = run(store_home, source, tmp_path / name, {"quantize": {"target": "cpu"}})
    assert result.passed, result.failures
    assert result.output is not None
    assert result.output.bytes < 0.75 * source.stat().st_size
    verify = result.record.found(VerifyFindings)
    assert verify is not None
    assert not verify.verified


def test_what_was_quantized_already_is_refused(store_home: Path, poisoned_run: Ended, tmp_path: Path) -> None:
    source = Path(poisoned_run.document["output"]["path"])
    with pytest.raises(BadInput, match="quantized already"):
        run(store_home, source, tmp_path / "out.task", {})
    assert list(tmp_path.iterdir()) == []


def test_where_landmarks_move_too_far_layers_go_back_to_float16_until_they_do_not(
    store_home: Path, bundle: Path, tmp_path: Path, poisoned_run: Ended
) -> None:
    result = run(store_home, bundle, tmp_path / "out.task", {"verify": {"max_landmark_px": 0.2}})
    document = quantize_document(result.record)
    assert document.verdict == "yes", result.failures
    shift = measures_of(document).landmark_shift
    assert shift is not None
    assert shift.px.mean <= 0.2
    assert document.output is not None
    assert poisoned_run.document["output"]["bytes"] < document.output.bytes < bundle.stat().st_size
    assert [gate.name for each in document.refused for gate in each.gates] == ["landmark-shift"] * len(document.refused)
    assert 1 <= len(document.refused) <= 4
