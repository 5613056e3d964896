"""A run that never was, of made-up figures, to prove and to test that a page can be made of a real one."""

from __future__ import annotations

import math

from ..contract import (
    CPU,
    GPU,
    NO,
    WEB_CPU,
    YES,
    AppliedPass,
    CallTimes,
    ComparedModel,
    CompareFindings,
    Counts,
    EnvironmentRecord,
    EveryScore,
    FileRecord,
    Gate,
    ImageFigures,
    KindTime,
    LandmarkShift,
    LayerError,
    Measures,
    ModelRecipe,
    ModelRounds,
    OperatorTimes,
    OutputDifference,
    Processor,
    Profile,
    ProofRecord,
    QuantizedModel,
    QuantizeFindings,
    RecipeDocument,
    RecipeSummary,
    RecipeTrial,
    RoadRun,
    Run,
    SampleSize,
    ScoreShift,
    ShownPicture,
    ShownShift,
    Spread,
    StepRecord,
    TimeBetween,
    Timing,
    VerifyDetails,
    VerifyFindings,
)
from .page import PageContents

MODEL, CUSTOM = "landmarks", "custom"
SIDE = 256
DETECTIONS = 12
HASH = "0123456789abcdef" * 4
SCORES = ("jawOpen", "eyeBlinkLeft", "mouthSmileRight")


def sources(name: str, jpeg: str, *, passed: bool = True) -> PageContents:
    """What a page is made of, for an input file of that name and a picture (JPEG in base64) of 64 by 48 pixels.

    The verdict is yes, or no because of how far landmarks move.
    """
    rounds = tuple((2.0 + _wave(each), 1.6 + _wave(each + 3)) for each in range(40))
    return PageContents(run_of(name, passed=passed), details(name, jpeg), {MODEL: ModelRounds(latency=rounds)})


def run_of(name: str, *, passed: bool = True) -> Run:
    """The record of the run."""
    shift = 0.3 if passed else 0.6
    outputs = {"output": FileRecord(f"/models/int8 {name}", 1_100_000, HASH)} if passed else {}
    return Run(
        task="quantize",
        verdict=YES if passed else NO,
        envguard="0",
        date="2000-01-01T00:00:00Z",
        inputs={"input": FileRecord(f"/models/{name}", 2_000_000, HASH)},
        outputs=outputs,
        steps=(
            StepRecord("quantize", "steps.quantize", "quantize", 20.0, findings=_quantized()),
            StepRecord("compare", "steps.compare", "quantize", 5.0, findings=_compared()),
            StepRecord("verify", "steps.verify", "verify", 10.0, findings=_verified(shift)),
        ),
        gates=_gates(shift, passed),
        environments=(_environment(),),
        receipt=f"{name}.receipt.json" if passed else None,
    )


def details(name: str, jpeg: str) -> VerifyDetails:
    """What the step verify would hand on: one picture, one zoom, three scores."""
    before = tuple((20.0 + 10 * math.cos(turn), 20.0 + 10 * math.sin(turn)) for turn in range(6))
    after = tuple((x + 0.4, y - 0.2) for x, y in before)
    file, size = f"{name}.jpg", (64, 48)
    return VerifyDetails(
        kind="face",
        things="faces",
        crop_side=SIDE,
        images=tuple(
            ImageFigures(f"{each}", 1, 0, 0, (0.3 + _wave(each),), (9.0 + each, 8.0 + each))
            for each in range(DETECTIONS)
        ),
        noise_px=tuple(0.35 + _wave(each) for each in range(6)),
        scores=EveryScore("blendshapes", SCORES, (0.01, 0.006, 0.002), (0.1, 0.06, 0.02), (0.008,) * 3),
        views=2,
        pictures=(ShownPicture(file, size, jpeg, (0.3,), (before,), (after,), lost=(before,)),),
        zooms=(ShownShift(file, size, jpeg, 8.0, 3, 1.2, before, after),),
    )


def _gates(shift: float, passed: bool) -> tuple[Gate, ...]:
    return (
        Gate("not-finite", "Finite outputs", True, MODEL, step="compare"),
        Gate("slower-than-limit", "Time on one thread", True, MODEL, 0.8, 1.05, "ratio", step="compare"),
        Gate("faces-lost", "Faces lost", True, "", 0.0, 0.005, "share", f"0 of {DETECTIONS}", step="verify"),
        Gate(
            name="landmark-shift",
            what="Landmark shift, mean",
            passed=passed,
            measured=shift,
            limit=0.4,
            unit="px",
            message="" if passed else "Landmarks move too far.",
            next="" if passed else "Calibrate.",
            step="verify",
        ),
        Gate("blendshape-shift", "Blendshapes, mean difference", True, "", 0.005, 0.008, step="verify"),
    )


def _quantized() -> QuantizeFindings:
    return QuantizeFindings(
        bytes_in=2_000_000,
        bytes_out=1_100_000,
        sha256_in=HASH,
        sha256_out=HASH,
        ratio=0.55,
        recipe=RecipeDocument("size", {MODEL: ModelRecipe(((3, "float16"), (2, "int8"), (1, "int8 dynamic")), False)}),
        cpu=Processor("none", "Example", ()),
        dropped=(),
        models=(_model(MODEL, _candidates()), _model(CUSTOM, ())),
    )


def _model(name: str, candidates: tuple[RecipeTrial, ...]) -> QuantizedModel:
    return QuantizedModel(
        name=name,
        bytes_in=1_000_000,
        bytes_out=500_000,
        quantized=True,
        recipe=RecipeSummary("int8", arithmetic="float32", int8_weights=9_000, float_weights=1_000),
        candidates=candidates,
        passes=(AppliedPass(name="fold_float16", what="constants folded", lossless=True, changed=7),),
    )


def _candidates() -> tuple[RecipeTrial, ...]:
    return (
        RecipeTrial("float16", 990_000, 0.1, None, "larger"),
        RecipeTrial("int8 weights", 500_000, 0.9, _timed(), "taken"),
    )


def _compared() -> CompareFindings:
    times = OperatorTimes(1.0, (KindTime("convolution", 3, 1.0, 1.0),), (), TimeBetween(0.0, 0.0))
    ran = ComparedModel(
        name=MODEL,
        ran=True,
        inputs="held-out",
        inputs_tried=24,
        outputs=(_output("points", 55.0), _output("presence", 40.0)),
        layers=(
            LayerError(4, "CONV_2D", (8, 1, 1, 8), 64, 40.0),
            LayerError(7, "CONV_2D", (8, 3, 3, 8), 576, 35.0),
            LayerError(9, "FULLY_CONNECTED", (8, 8), 64, None),
        ),
        latency=_timed(),
        two_threads_reason="not measured: only one processor may be used here",
        load=_timed(),
        first=_timed(),
        profile=Profile("an example", times, times),
    )
    return CompareFindings((ran, ComparedModel(CUSTOM, reason="not run: custom operator Example")), 2)


def _output(name: str, decibels: float) -> OutputDifference:
    return OutputDifference(
        name=name,
        cosine=0.9999,
        max_abs_error=0.5,
        max_relative_error=0.0025,
        peak=200.0,
        snr_db=decibels,
        finite=True,
        silent=False,
        noise_cosine=0.9998,
        noise_snr_db=45.0,
        noise_max_abs_error=0.9,
    )


def _timed() -> Timing:
    return Timing(
        original_ms=2.0,
        quantized_ms=1.6,
        original_iqr_ms=0.1,
        quantized_iqr_ms=0.1,
        ratio=0.8,
        low=0.78,
        high=0.82,
        fastest_ratio=0.8,
        paired_ratio=0.8,
        rounds=40,
        interrupted=2,
        differs=True,
        too_busy=False,
        verdict="faster: 0.80 of the original's time (0.78 to 0.82)",
    )


def _verified(shift: float) -> VerifyFindings:
    measures = Measures(
        counts=Counts("faces", DETECTIONS, DETECTIONS, DETECTIONS, lost=0, extra=0),
        landmark_shift=LandmarkShift(SIDE, Spread(shift, 2 * shift, 3 * shift), "inter_ocular", shift / 90),
        scores=ScoreShift("blendshapes", 0.005, 0.1),
    )
    return VerifyFindings(
        verified=True,
        kind="face",
        mediapipe="0",
        sample_size=SampleSize(pictures=1, views=2, images=DETECTIONS),
        measures=measures,
        noise=measures,
        latency=CallTimes(14.0, 13.0, 13 / 14),
        roads=(
            RoadRun(CPU, True, "MediaPipe 0", "", True, True, SampleSize(1, 2, DETECTIONS), measures),
            RoadRun(GPU, True, "a GPU", "DEQUANTIZE: Operation is not supported.", True, False),
            RoadRun(WEB_CPU, False, reason="there is no browser here"),
        ),
    )


def _environment() -> EnvironmentRecord:
    return EnvironmentRecord(
        name="verify",
        edition="1",
        python="3.11",
        interpreter="python3.11",
        backend="venv",
        base=None,
        lock=HASH,
        folder="/environments/verify",
        built_now=False,
        proof=ProofRecord(HASH, "3.11", "any", "", "2000-01-01T00:00:00Z", "checks.verify", 1.0),
    )


def _wave(place: int) -> float:
    return 0.1 + 0.1 * math.sin(place)
