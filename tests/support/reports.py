"""The document of a run of `quantize`, as the renderings get it."""

from __future__ import annotations

from dataclasses import replace

from envguard.payload.contract import (
    ColumnDifference,
    FileRecord,
    KindTime,
    ModelReport,
    OperatorTimes,
    OutputDifference,
    Profile,
    QuantizeDocument,
    RecipeSummary,
    SlowOperator,
    TimeBetween,
    Timing,
    VerifyFindings,
)


def measured(ratio: float, *, original_ms: float = 2.0, differs: bool = True, too_busy: bool = False) -> Timing:
    """A model that takes so much of the original's time."""
    return Timing(
        original_ms=original_ms,
        quantized_ms=ratio * original_ms,
        original_iqr_ms=0.1,
        quantized_iqr_ms=0.1,
        ratio=ratio,
        low=ratio,
        high=ratio,
        fastest_ratio=ratio,
        paired_ratio=ratio,
        rounds=100,
        interrupted=0,
        differs=differs,
        too_busy=too_busy,
        verdict=f"in words {ratio}",
    )


def output(cosine: float, peak: float, snr: float = 30.0) -> OutputDifference:
    """An output that is so close to the original's."""
    return OutputDifference(
        name="scores",
        cosine=cosine,
        max_abs_error=0.1,
        max_relative_error=0.1,
        peak=peak,
        snr_db=snr,
        finite=True,
        silent=False,
        noise_cosine=0.9,
        noise_snr_db=9.0,
        noise_max_abs_error=0.2,
        columns=84,
        worst_column=ColumnDifference(16, 84, 0.97, 0.2, 90, 100, 0.95, 0.3),
        changed_answers=0.01,
    )


def profiled(milliseconds: float) -> OperatorTimes:
    """Where so much time goes: three quarters of it to one kind of operator."""
    return OperatorTimes(
        ms=milliseconds,
        kinds=(KindTime("float convolution", 3, milliseconds * 0.75, 0.75),),
        slowest=(SlowOperator(4, "Convolution", milliseconds * 0.5, 0.5),),
        between=TimeBetween(milliseconds * 0.25, 0.25),
    )


MODEL = ModelReport(
    name="detector",
    bytes_in=2000,
    bytes_out=1000,
    quantized=True,
    recipe=RecipeSummary("int8"),
    candidates=(),
    passes=(),
    ran=True,
    inputs="held-out",
    inputs_tried=24,
    latency=measured(0.9),
    two_threads=measured(0.98, differs=False),
    load=measured(1.5),
    first=measured(0.8),
    outputs=(output(0.999, 2.0), output(0.5, 0.1, snr=12.4), output(0.02, 1e-9, snr=-20.0)),
    profile=Profile("a profiler", profiled(2.0), profiled(1.8)),
)

DOCUMENT = QuantizeDocument(
    task="quantize",
    verdict="yes",
    failures=(),
    gates=(),
    input=FileRecord("/models/face|.task", 2000, "a" * 64),
    output=FileRecord("/models/out.task", 1000, "b" * 64),
    ratio=0.5,
    dropped=(),
    recipe=None,
    cpu=None,
    models=(MODEL,),
    verify=VerifyFindings(verified=False, kind="other", mediapipe="0.10.21", reason="a bare model"),
    outside_models=None,
    processors=2,
    environments=(),
    steps=(),
)


def with_model(**changes: object) -> QuantizeDocument:
    """The document whose one model is changed."""
    return replace(DOCUMENT, models=(replace(MODEL, **changes),))  # type: ignore[arg-type]
