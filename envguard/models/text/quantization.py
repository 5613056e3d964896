"""A quantization's document for a reader: on a terminal, and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from envguard.models.text.models import legend, model_lines, model_rows, verdict_lines
from envguard.models.text.recipe_trials import refused_lines, trial_lines, trial_tables
from envguard.models.text.roads import road_lines, road_markdown
from envguard.models.text.tables import NOTHING, Row, markdown_table, wrapped
from envguard.models.text.times import profile_lines, profile_notes, time_tables
from envguard.models.text.verification import verification_lines
from envguard.payload.contract import EnvironmentRecord, ModelReport, OutputDifference, Processor, QuantizeDocument

OUTPUT_HEADS = (
    "output",
    "cosine",
    "SNR",
    "largest error",
    "lowest correlation of a column",
    "other best score",
    "with noise of 1/255 on the input instead: cosine",
    "SNR",
)
LOW_RANK = "low_rank"


def as_text(document: QuantizeDocument) -> str:
    """The report for a terminal: models, what MediaPipe says, the verdict last, where the eye is."""
    source = document.input
    lines = [f"{Path(source.path).name}: {source.bytes:,} bytes, sha256 {source.sha256[:16]}…", ""]
    lines += [*model_lines(document.models), ""]
    lines += [line for text in trial_lines(document.models) for line in wrapped(text)]
    lines += ["", *verification_lines(document.verify)]
    lines += road_lines(document)
    lines += [line for text in profile_lines(document) for line in wrapped(text)]
    lines += [f"{name}: {text}" for name, text in _notes(document)]
    lines += ["", *(line for text in refused_lines(document.refused) for line in wrapped(text))]
    lines += verdict_lines(document)
    return "\n".join(lines)


def as_markdown(document: QuantizeDocument) -> str:
    """The same report as Markdown, with all that was measured and the environments that it was made in."""
    models = document.models
    outputs = [OUTPUT_HEADS, *(row for model in models for row in _output_rows(model))]
    told = refused_lines(document.refused)
    times = [*profile_lines(document), *map(markdown_table, time_tables(models)), *profile_notes(models)]
    parts = [
        f"# {document.task}: {document.verdict}",
        *verdict_lines(document),
        "## Models",
        markdown_table(model_rows(models)),
        legend(models),
        *(f"`{name}`: {text}" for name, text in _notes(document)),
        *_section("Tried before, and refused by gates", ["\n".join(f"- {line}" for line in told)] if told else []),
        *_section("Recipes that were tried", _trials(document)),
        *_section("Outputs", [markdown_table(outputs)]),
        "## MediaPipe",
        *verification_lines(document.verify),
        *_section("Roads", road_markdown(document)),
        *_section("Time", times),
        "## Environments",
        "\n".join(map(_environment, document.environments)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _trials(document: QuantizeDocument) -> list[str]:
    tables = trial_tables(document.models)
    shown = [part for name, rows in tables.items() for part in (f"`{name}`:", markdown_table(rows))]
    unit = f"An error of 1 is what noise of one grey level on the inputs makes. {_cpu(document.cpu)}"
    return [unit, *shown] if shown else []


def _cpu(cpu: Processor | None) -> str:
    """What the times and the last bits of the bytes depend on."""
    return f"On {cpu.name} ({cpu.architecture}; {', '.join(cpu.vectors)})." if cpu else ""


def _environment(each: EnvironmentRecord) -> str:
    return (
        f"- `{each.name}` edition {each.edition}, Python {each.python}, lock `{each.lock[:16]}`, "
        f"proved {each.proof.date} by `{each.proof.check}`"
    )


def _section(title: str, parts: Sequence[str]) -> list[str]:
    """The parts under their title; nothing if there are none."""
    found = [part for part in parts if part]
    return [f"## {title}", *found] if found else []


def _output_rows(model: ModelReport) -> list[Row]:
    return [
        (
            f"{model.name}: {output.title}",
            f"{output.cosine:.5f}",
            _decibels(output.snr_db),
            f"{output.max_abs_error:.4g} of {output.peak:.4g}",
            _column(output),
            NOTHING if output.changed_answers is None else f"{output.changed_answers:.1%}",
            f"{output.noise_cosine:.5f}",
            _decibels(output.noise_snr_db),
        )
        for output in model.outputs
    ]


def _column(output: OutputDifference) -> str:
    worst = output.worst_column
    return NOTHING if worst is None else f"{worst.correlation:.4f} (column {worst.column + 1} of {worst.of})"


def _decibels(value: float | None) -> str:
    return "no error" if value is None else f"{value:.1f} dB"


def _notes(document: QuantizeDocument) -> list[tuple[str, str]]:
    """What the table has no column for: why a model was left alone or not run."""
    notes = []
    for model in document.models:
        if not model.quantized:
            notes.append((model.name, f"weights unchanged: {model.recipe.why or 'no reason given'}"))
        notes += [(model.name, each.what) for each in model.passes if each.name == LOW_RANK and each.changed]
        if not model.ran:
            notes.append((model.name, model.reason))
    if document.dropped:
        notes.append(("dropped", ", ".join(document.dropped)))
    return notes
