"""What a model file holds and what quantizing it would do, for a reader."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence

from envguard.models.text.tables import WIDTH
from envguard.payload.contract import InspectDocument, InspectedModel, Port, RoadLint

LABEL = 11


def as_text(document: InspectDocument) -> str:
    """The file, its members if it is a bundle, and each model; lines of 80 columns at most."""
    lines = _wrapped("", f"{document.file}: {document.kind}, {document.bytes:,} bytes")
    if document.kind == "bundle":
        for member in document.members:
            lines += _wrapped("  ", f"{member.name}  {member.bytes:,}")
    for model in document.models:
        lines += ["", *_wrapped("", f"{model.name}: {model.bytes:,} bytes, weights stored as {model.state}")]
        for label, text in _facts(model):
            lines += _wrapped(f"  {label.ljust(LABEL)}", text)
    return "\n".join(lines)


def _facts(model: InspectedModel) -> list[tuple[str, str]]:
    rows = [("input", _port(port)) for port in model.inputs]
    rows += [("output", _port(port)) for port in model.outputs]
    rows.append(("operators", _counted(model.operators)))
    rows.append(("weights", ", ".join(f"{kind} {size:,} bytes" for kind, size in model.weight_bytes.items())))
    rows.append(("constants", _counted(model.constants)))
    rows.append(("tensors", _counted(model.activations)))
    rows += [("pass", f"{each.name}: {each.changed} × {each.what}") for each in model.passes]
    rows += [("int8", _becomes(name, row)) for name, row in model.becomes_int8.items()]
    rows += [("blocked by", f"{each.what}: {each.effect}") for each in model.blocks]
    rows += [*_roads(model.roads)]
    return [(label, text) for label, text in rows if text]


def _roads(lints: Sequence[RoadLint]) -> Iterator[tuple[str, str]]:
    """The roads whose runtimes take the model, and what those say that do not: all by rules."""
    for verdict in ("taken", "unknown"):
        yield f"{verdict} by", ", ".join(lint.road for lint in lints if lint.verdict == verdict)
    for lint in lints:
        if lint.verdict == "refused":
            said = (f"{each.count} {each.operator}: {each.reason}" for each in lint.refused)
            yield "refused by", f"{lint.road}: {'; '.join(said)}"


def _port(port: Port) -> str:
    return f"{port.name}, {port.dtype}, {' × '.join(map(str, port.shape))}"


def _becomes(name: str, row: Mapping[str, int]) -> str:
    text = f"weights of {row['int8_weights']} of {row['operators']} {name}"
    return text + (f", {row['int8_arithmetic']} of which compute in int8 too" if row["int8_arithmetic"] else "")


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items(), key=lambda entry: -entry[1]))


def _wrapped(start: str, text: str) -> list[str]:
    indent = " " * len(start)
    return textwrap.wrap(text, WIDTH, initial_indent=start, subsequent_indent=indent, break_on_hyphens=False)
