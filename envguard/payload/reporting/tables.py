"""The tables of a report: heads, rows of text, and what they are of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Document = Mapping[str, Any]
Row = Sequence[str]
NOTHING = "–"

TIMED = {
    "latency": "warm, 1 thread",
    "two_threads": "warm, 2 threads",
    "load": "loading",
    "first": "first inference",
}


@dataclass(frozen=True)
class Table:
    """`words` says how many columns from the left are text; the others are figures. The first is a heading."""

    caption: str
    heads: Row
    rows: Sequence[Row]
    words: int = 1


def sizes(document: Document) -> Table:
    """Bytes of each model, and of the whole file."""
    rows = [
        (
            model["name"],
            f"{model['bytes_in']:,}",
            f"{model['bytes_out']:,}",
            _share(model["bytes_out"], model["bytes_in"]),
        )
        for model in document["models"]
    ]
    before, after = document["input"]["bytes"], (document["output"] or {}).get("bytes")
    whole = ("whole file", f"{before:,}", NOTHING if after is None else f"{after:,}", NOTHING)
    rows.append(whole if after is None else (*whole[:3], _share(after, before)))
    return Table("Bytes of each model", ("model", "original", "quantized", "share"), rows)


def times(models: Sequence[Document]) -> Table | None:
    """Medians with the width of the middle half of the rounds, and the ratio with its interval."""
    rows = [
        (
            model["name"],
            word,
            f"{one['original_ms']:.3f} ± {one['original_iqr_ms'] / 2:.3f}",
            f"{one['quantized_ms']:.3f} ± {one['quantized_iqr_ms'] / 2:.3f}",
            f"{one['ratio']:.2f} ({one['low']:.2f} to {one['high']:.2f})",
            f"{one['rounds']} ({one['interrupted']})",
            _word(one),
        )
        for model in models
        for key, word in TIMED.items()
        for one in [model.get(key)]
        if one
    ]
    heads = ("model", "what", "original, ms", "quantized, ms", "ratio (95 %)", "rounds (interrupted)", "in a word")
    caption = "Medians and half of the interquartile range; the ratio with its interval"
    return Table(caption, heads, rows, 2) if rows else None


def _word(one: Document) -> str:
    if one["too_busy"]:
        return "too busy to tell"
    if not one["differs"]:
        return "no difference"
    return "slower" if one["ratio"] > 1 else "faster"


def outputs(models: Sequence[Document]) -> Table | None:
    """Every output against the original's, and what noise on the input does to it."""
    rows = [
        (
            model["name"],
            output["name"],
            f"{output['cosine']:.5f}",
            _decibels(output["snr_db"]),
            f"{output['max_abs_error']:.4g} of {output['peak']:.4g}",
            f"{output['noise_cosine']:.5f}",
            _decibels(output["noise_snr_db"]),
        )
        for model in models
        for output in model["outputs"]
    ]
    heads = ("model", "output", "cosine", "SNR", "largest error", "cosine, noise", "SNR, noise")
    return Table("Every output; beside it noise of one grey level on the input", heads, rows, 2) if rows else None


def scores(found: Document | None, word: str) -> Table | None:
    """Every score, the most changed first."""
    if not found:
        return None
    noise = found["noise_mean_abs"] or [None] * len(found["names"])
    lines = sorted(
        zip(found["names"], found["mean_abs"], found["max"], noise),  # noqa: B905 - Python 3.9
        key=lambda line: -line[1],
    )
    rows = [(name, f"{mean:.4f}", f"{most:.4f}", _score(floor)) for name, mean, most, floor in lines]
    return Table(f"All {len(rows)} {word}", ("score", "mean difference", "largest", "mean, noise"), rows)


def layers(document: Document) -> Table | None:
    """What became of the weights, model by model."""
    rows = []
    for model in document["models"]:
        recipe = model["recipe"]
        if not model["quantized"]:
            rows.append((model["name"], recipe.get("why", NOTHING), NOTHING, NOTHING, NOTHING))
            continue
        counts: dict[str, int] = {}
        for count, treatment in layers_of(document, model["name"]):
            counts[str(treatment)] = counts.get(str(treatment), 0) + int(count)
        what = ", ".join(f"{count} {treatment}" for treatment, count in counts.items()) or NOTHING
        weights = recipe["int8_weights"], recipe["float_weights"]
        share = _share(weights[0], sum(weights)) if sum(weights) else NOTHING
        rows.append((model["name"], what, recipe["arithmetic"], f"{weights[0]:,}", share))
    heads = ("model", "layers", "arithmetic", "int8 weights", "share of weights")
    return Table("What became of the layers", heads, rows, 3) if rows else None


def layers_of(document: Document, name: str) -> Sequence[Sequence[Any]]:
    """The treatments of a model's layers from input to output, as (how many, treatment)."""
    applied = (document.get("recipe") or {}).get("models", {}).get(name) or {}
    found: Sequence[Sequence[Any]] = applied.get("layers", ())
    return found


def weights(model: Document) -> Table | None:
    """How far each layer's int8 weights are from the original's."""
    rows = [
        (
            str(number),
            each["operator"],
            " × ".join(map(str, each["shape"])),
            f"{each['weights']:,}",
            NOTHING if each["snr_db"] is None else f"{each['snr_db']:.1f} dB",
        )
        for number, each in enumerate(model.get("layers") or (), 1)
    ]
    heads = ("layer", "operator", "shape", "weights", "SNR")
    return Table(f"Weights of {model['name']}, layer by layer", heads, rows, 3) if rows else None


def passes(model: Document) -> Table | None:
    """What was done to the graph, in order; passes that changed nothing are left out."""
    rows = [
        (each["pass"], each["what"], "yes" if each["lossless"] else "no", f"{each['changed']:,}")
        for each in model.get("passes", ())
        if each["changed"]
    ]
    return Table(f"Passes over {model['name']}", ("pass", "what", "lossless", "changed"), rows, 3) if rows else None


def candidates(model: Document) -> Table | None:
    """Every recipe that was tried, and why it was not taken."""
    rows = [
        (
            str(number),
            each["name"],
            each["outcome"],
            f"{each['bytes']:,}",
            NOTHING if each["error"] is None else f"{each['error']:.3f}",
            f"{each['time']['ratio']:.2f}" if each["time"] else "not measured",
        )
        for number, each in enumerate(model.get("candidates") or (), 1)
    ]
    heads = ("no.", "recipe", "outcome", "bytes", "error", "time to original's")
    return Table(f"Recipes tried for {model['name']}", heads, rows, 3) if rows else None


def environments(document: Document) -> Table:
    """Where each step ran, under which lock, and who proved that lock."""
    rows = [
        (
            each["name"],
            each["edition"],
            each["python"],
            f"{each['backend']}{', ' + each['base'] if each.get('base') else ''}",
            each["lock"],
            f"{each['proof']['result']}: {each['proof']['check']} on {each['proof']['platform']},"
            f" {each['proof']['libc']}, {each['proof']['date']}",
        )
        for each in document["environments"]
    ]
    heads = ("environment", "edition", "Python", "backend", "lock (SHA-256)", "proof")
    return Table("Environments, their locks and proofs", heads, rows, 6)


def steps(document: Document) -> Table:
    """How long each step took."""
    rows = [(each["name"], f"{each['seconds']:.1f}") for each in document["steps"]]
    return Table("Steps", ("step", "seconds"), rows)


def files(document: Document, receipt: Document | None) -> Table:
    """The files of the run, by hash."""
    known = (("input", document["input"]), ("output", document["output"]), ("receipt", receipt))
    rows = [(what, each["sha256"], each["path"], f"{each['bytes']:,}") for what, each in known if each]
    return Table("Files", ("what", "SHA-256", "where", "bytes"), rows, 3)


def _share(part: float, whole: float) -> str:
    return f"{part / whole:.1%}" if whole else NOTHING


def _decibels(value: float | None) -> str:
    return "no error" if value is None else f"{value:.1f} dB"


def _score(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.4f}"
