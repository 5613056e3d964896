"""The tables of a report: heads, rows of text, and what they are of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..contract import EveryScore, FileRecord, Gate, ModelReport, ProofRecord, QuantizeDocument, Timing

NOTHING = "–"
GATE_HEADS = ("what", "of", "passed", "measured", "allowed")


@dataclass(frozen=True)
class TableOfFigures:
    """`words` says how many columns from the left are text; the others are figures. The first is a heading."""

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: int = 1


def refused(document: QuantizeDocument) -> TableOfFigures | None:
    """What was made before, and what the gates said to it."""
    rows = [
        (
            "; ".join(f"{name}: {words}" for name, words in each.candidates.items()),
            " ".join(f"{gate.name}: {gate.message}" for gate in each.gates),
            f"{each.bytes:,}",
        )
        for each in document.refused
    ]
    heads = ("tried before", "why it was refused", "bytes")
    return TableOfFigures("Tried before, and refused by gates", heads, rows, 2) if rows else None


def sizes(document: QuantizeDocument) -> TableOfFigures:
    """Bytes of each model, and of the whole file."""
    rows = [
        (model.name, f"{model.bytes_in:,}", f"{model.bytes_out:,}", _share(model.bytes_out, model.bytes_in))
        for model in document.models
    ]
    before, written = document.input.bytes, document.output
    after = (NOTHING, NOTHING) if written is None else (f"{written.bytes:,}", _share(written.bytes, before))
    rows.append(("whole file", f"{before:,}", *after))
    return TableOfFigures("Bytes of each model", ("model", "original", "quantized", "share"), rows)


def times(models: Sequence[ModelReport]) -> TableOfFigures | None:
    """Medians with the width of the middle half of the rounds, and the ratio with its interval."""
    rows = [
        (
            model.name,
            what,
            f"{one.original_ms:.3f} ± {one.original_iqr_ms / 2:.3f}",
            f"{one.quantized_ms:.3f} ± {one.quantized_iqr_ms / 2:.3f}",
            f"{one.ratio:.2f} ({one.low:.2f} to {one.high:.2f})",
            f"{one.rounds} ({one.interrupted})",
            _word(one),
        )
        for model in models
        for what, one in _timed(model)
    ]
    heads = ("model", "what", "original, ms", "quantized, ms", "ratio (95 %)", "rounds (interrupted)", "in a word")
    caption = "Medians and half of the interquartile range; the ratio with its interval"
    return TableOfFigures(caption, heads, rows, 2) if rows else None


def _timed(model: ModelReport) -> list[tuple[str, Timing]]:
    """What was timed of a model, in words, and its times."""
    timed = (
        ("warm, 1 thread", model.latency),
        ("warm, 2 threads", model.two_threads),
        ("loading", model.load),
        ("first inference", model.first),
    )
    return [(what, one) for what, one in timed if one is not None]


def _word(one: Timing) -> str:
    if one.too_busy:
        return "too busy to tell"
    if not one.differs:
        return "no difference"
    return "slower" if one.ratio > 1 else "faster"


def outputs(models: Sequence[ModelReport]) -> TableOfFigures | None:
    """Every output against the original's, and what noise on the input does to it."""
    rows = [
        (
            model.name,
            output.title,
            f"{output.cosine:.5f}",
            _decibels(output.snr_db),
            f"{output.max_abs_error:.4g} of {output.peak:.4g}",
            f"{output.noise_cosine:.5f}",
            _decibels(output.noise_snr_db),
        )
        for model in models
        for output in model.outputs
    ]
    heads = ("model", "output", "cosine", "SNR", "largest error", "cosine, noise", "SNR, noise")
    return (
        TableOfFigures("Every output; beside it noise of one grey level on the input", heads, rows, 2) if rows else None
    )


def scores(found: EveryScore | None) -> TableOfFigures | None:
    """Every score, the most changed first."""
    if found is None:
        return None
    noise = found.noise_mean_abs or (None,) * len(found.names)
    lines = sorted(
        zip(found.names, found.mean_abs, found.max, noise),  # noqa: B905 - Python 3.9
        key=lambda line: -line[1],
    )
    rows = [(name, f"{mean:.4f}", f"{most:.4f}", _score(floor)) for name, mean, most, floor in lines]
    return TableOfFigures(f"All {len(rows)} {found.name}", ("score", "mean difference", "largest", "mean, noise"), rows)


def gates(judged: Sequence[Gate]) -> TableOfFigures | None:
    """What was held against a limit, and what was not passed, with what was measured and what is allowed."""
    rows = [_gate_row(gate) for gate in judged if gate.limit is not None or not gate.passed]
    return TableOfFigures("Gates", GATE_HEADS, rows, 3) if rows else None


def conditions(judged: Sequence[Gate]) -> TableOfFigures | None:
    """What was passed and has no limit: it either holds or does not."""
    rows = [_gate_row(gate) for gate in judged if gate.limit is None and gate.passed]
    return TableOfFigures("Gates without a limit", GATE_HEADS[:3], [row[:3] for row in rows], 3) if rows else None


def _gate_row(gate: Gate) -> tuple[str, ...]:
    return (
        gate.what or gate.name,
        gate.subject or NOTHING,
        "✓ yes" if gate.passed else "waived" if gate.waived else "✗ no",
        gate.detail or _measured(gate.measured, gate.unit),
        _allowed(gate.limit, gate.unit),
    )


def layers(document: QuantizeDocument) -> TableOfFigures | None:
    """What became of the weights, model by model."""
    rows = [_layers_row(document, model) for model in document.models]
    heads = ("model", "layers", "arithmetic", "int8 weights", "share of weights")
    return TableOfFigures("What became of the layers", heads, rows, 3) if rows else None


def _layers_row(document: QuantizeDocument, model: ModelReport) -> tuple[str, ...]:
    recipe = model.recipe
    if not model.quantized:
        return (model.name, recipe.why or NOTHING, NOTHING, NOTHING, NOTHING)
    counts: dict[str, int] = {}
    for count, treatment in layers_of(document, model.name):
        counts[treatment] = counts.get(treatment, 0) + count
    what = ", ".join(f"{count} {treatment}" for treatment, count in counts.items()) or NOTHING
    share = _share(recipe.int8_weights, recipe.int8_weights + recipe.float_weights)
    return (model.name, what, recipe.arithmetic, f"{recipe.int8_weights:,}", share)


def layers_of(document: QuantizeDocument, name: str) -> Sequence[tuple[int, str]]:
    """The treatments of a model's layers from input to output, as (how many, treatment)."""
    applied = document.recipe.models.get(name) if document.recipe else None
    return applied.layers if applied else ()


def weights(model: ModelReport) -> TableOfFigures | None:
    """How far each layer's int8 weights are from the original's."""
    rows = [
        (
            str(number),
            each.operator,
            " × ".join(map(str, each.shape)),
            f"{each.weights:,}",
            NOTHING if each.snr_db is None else f"{each.snr_db:.1f} dB",
        )
        for number, each in enumerate(model.layers, 1)
    ]
    heads = ("layer", "operator", "shape", "weights", "SNR")
    return TableOfFigures(f"Weights of {model.name}, layer by layer", heads, rows, 3) if rows else None


def passes(model: ModelReport) -> TableOfFigures | None:
    """What was done to the graph, in order; passes that changed nothing are left out."""
    rows = [
        (each.name, each.what, "yes" if each.lossless else "no", f"{each.changed:,}")
        for each in model.passes
        if each.changed
    ]
    heads = ("pass", "what", "lossless", "changed")
    return TableOfFigures(f"Passes over {model.name}", heads, rows, 3) if rows else None


def candidates(model: ModelReport) -> TableOfFigures | None:
    """Every recipe that was tried, and why it was not taken."""
    rows = [
        (
            str(number),
            each.name,
            each.outcome,
            f"{each.bytes:,}",
            NOTHING if each.error is None else f"{each.error:.3f}",
            f"{each.time.ratio:.2f}" if each.time else "not measured",
        )
        for number, each in enumerate(model.candidates, 1)
    ]
    heads = ("no.", "recipe", "outcome", "bytes", "error", "time to original's")
    return TableOfFigures(f"Recipes tried for {model.name}", heads, rows, 3) if rows else None


def environments(document: QuantizeDocument) -> TableOfFigures:
    """Where each step ran, under which lock, and who proved that lock."""
    rows = [
        (
            each.name,
            each.edition,
            each.python,
            f"{each.backend}{', ' + each.base if each.base else ''}",
            each.lock,
            _proved(each.proof),
        )
        for each in document.environments
    ]
    heads = ("environment", "edition", "Python", "backend", "lock (SHA-256)", "proof")
    return TableOfFigures("Environments, their locks and proofs", heads, rows, 6)


def _proved(proof: ProofRecord) -> str:
    emulated = f"under emulation by {proof.emulated}" if proof.emulated else ""
    told = (proof.platform, proof.libc, proof.os_version, emulated, proof.date)
    return f"{proof.result}: {proof.check} on {', '.join(filter(None, told))}"


def steps(document: QuantizeDocument) -> TableOfFigures:
    """How long each step took, and of which date are those that did not run again."""
    if not any(each.reused for each in document.steps):
        return TableOfFigures(
            "Steps", ("step", "seconds"), [(each.name, f"{each.seconds:.1f}") for each in document.steps]
        )
    rows = [(each.name, f"{each.seconds:.1f}", each.reused or "this run") for each in document.steps]
    return TableOfFigures("Steps, some of which did not run again", ("step", "seconds", "measured"), rows)


def files(written: Sequence[tuple[str, FileRecord]]) -> TableOfFigures:
    """The files of the run by what they are, with their hashes."""
    rows = [(what, each.sha256, each.path, f"{each.bytes:,}") for what, each in written]
    return TableOfFigures("Files", ("what", "SHA-256", "where", "bytes"), rows, 3)


def _measured(value: float | None, unit: str) -> str:
    if value is None:
        return NOTHING
    return {"px": f"{value:.2f} px", "share": f"{value:.1%}", "ratio": f"{value:.2f}"}.get(unit, f"{value:.4f}")


def _allowed(value: float | None, unit: str) -> str:
    if value is None:
        return NOTHING
    return {"px": f"{value:g} px", "share": f"{value:.1%}"}.get(unit, f"{value:g}")


def _share(part: float, whole: float) -> str:
    return f"{part / whole:.1%}" if whole else NOTHING


def _decibels(value: float | None) -> str:
    return "no error" if value is None else f"{value:.1f} dB"


def _score(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.4f}"
