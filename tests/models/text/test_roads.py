"""What is known of each road is told by how it is known: run there, rules alone, or not at all."""

from __future__ import annotations

from dataclasses import replace

from envguard.models.text.quantization import as_markdown, as_text
from envguard.payload.contract import (
    CPU,
    GPU,
    CallTimes,
    Counts,
    LandmarkShift,
    Measures,
    ModelRecipe,
    Processor,
    RecipeDocument,
    RefusedOperator,
    RoadLint,
    RoadRun,
    SampleSize,
    ScoreShift,
    Spread,
    road_reports,
)
from tests.support.reports import DOCUMENT

MEASURES = Measures(
    Counts("faces", images=10, before=12, after=12, lost=0, extra=0),
    LandmarkShift(256, Spread(0.2, 0.4, 0.6), "inter_ocular", 0.002),
    ScoreShift("blendshapes", 0.005, 0.1),
)
ON_CPU = RoadRun(
    CPU,
    ran=True,
    runtime="MediaPipe 0.10.21 with XNNPACK",
    original_taken=True,
    copy_taken=True,
    sample_size=SampleSize(8, 8, 96),
    measures=MEASURES,
    latency=CallTimes(2, 1, 0.5),
)
WORDS = "DEQUANTIZE: Operation is not supported."
REFUSED = RoadRun(GPU, True, "the GPU delegate on llvmpipe", WORDS, True, False)
LINTS = (
    RoadLint(CPU, "taken"),
    RoadLint(GPU, "refused", (RefusedOperator("DEQUANTIZE", 41, WORDS),)),
    RoadLint("web-cpu", "taken"),
)


def text_of(*runs: RoadRun, lints: tuple[RoadLint, ...] = LINTS) -> str:
    """The report, its lines joined."""
    return as_text(replace(DOCUMENT, roads=road_reports(runs, [lints])))


def row(text: str, road: str) -> list[str]:
    """The row of a road, word by word."""
    return next(line.split() for line in text.splitlines() if line.startswith(f"{road} "))


def test_what_was_run_has_figures_and_what_was_not_has_none() -> None:
    text = text_of(ON_CPU, REFUSED)
    assert row(text, "cpu") == ["cpu", "run", "yes", "0", "of", "12", "0.20", "px", "0.0050", "0.50"]
    assert row(text, "gpu") == ["gpu", "run", "no", "–", "–", "–", "–"]
    assert row(text, "web-cpu") == ["web-cpu", "rules", "alone", "yes", "–", "–", "–", "–"]
    assert row(text, "web-gpu") == ["web-gpu", "–", "unknown", "–", "–", "–", "–"]
    assert WORDS in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 80


def test_a_road_that_could_not_be_run_is_told_by_the_rules_alone_with_the_reason() -> None:
    text = text_of(RoadRun(GPU, ran=False, reason="libEGL.so.1 cannot be loaded here."))
    assert row(text, "gpu")[:4] == ["gpu", "rules", "alone", "no"]
    assert "gpu: not run. libEGL.so.1 cannot be loaded here." in " ".join(text.split())
    assert "gpu: by the rules, 41 DEQUANTIZE: " in " ".join(text.split())


def test_a_road_that_does_not_take_the_original_either_is_no_fault_of_the_copy() -> None:
    text = text_of(RoadRun(GPU, True, "the GPU delegate", "ADD: broken", original_taken=False))
    assert row(text, "gpu")[:5] == ["gpu", "run", "nor", "the", "original"]


def test_markdown_has_the_same_table() -> None:
    text = as_markdown(replace(DOCUMENT, roads=road_reports([ON_CPU, REFUSED], [LINTS])))
    assert "## Roads" in text
    assert "| cpu | run | yes | 0 of 12 | 0.20 px | 0.0050 | 0.50 |" in text
    assert "| gpu | run | no | – | – | – | – |" in text


def test_a_run_that_knows_of_no_road_has_no_table() -> None:
    assert "## Roads" not in as_markdown(DOCUMENT)


def test_one_refused_model_is_a_refused_file_and_one_unknown_leaves_it_unknown() -> None:
    taken, refused, unknown = (RoadLint(GPU, verdict) for verdict in ("taken", "refused", "unknown"))
    verdicts = [
        next(each.lint.verdict for each in road_reports((), lints) if each.road == GPU and each.lint)
        for lints in ([[taken], [refused], [unknown]], [[taken], [unknown]], [[taken], [taken]])
    ]
    assert verdicts == ["refused", "unknown", "taken"]


def test_layers_with_int8_arithmetic_are_counted_for_arm_where_nothing_is_timed() -> None:
    layers = {"landmarks": ModelRecipe(((40, "int8 dynamic"), (3, "float16"), (1, "int8 dynamic, merged")), False)}
    document = replace(DOCUMENT, roads=road_reports([ON_CPU], []), recipe=RecipeDocument("balanced", layers))
    text = " ".join(as_text(document).split())
    assert "Nothing was timed on an ARM processor" in text
    assert "41 of landmarks" in text
    on_arm = replace(document, cpu=Processor("aarch64", "", ("asimddp",)))
    text = " ".join(as_text(on_arm).split())
    assert "Nothing was timed" not in text
    assert "41 of landmarks" in text
