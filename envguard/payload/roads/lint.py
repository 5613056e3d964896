"""Says of a model, for each road, whether the runtime there would take it, operator by operator; nothing is run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from ..contract import GPU, ROADS, WEB_GPU, RefusedOperator, RoadLint
from ..graph.schema import ModelT
from . import graph_rules, rules
from .members import Runner
from .operators import BYTES, FLOATS, Operator, operators_of

Refusal = tuple[str, str]
"""An operator's name, and what is said to it."""


def linted(model: ModelT, runner: Runner = Runner.DELEGATE) -> tuple[RoadLint, ...]:
    """What rules tell of the model on every road, where `runner` is what runs it when the GPU is asked for."""
    return tuple(_on(road, model, runner) for road in ROADS)


def _on(road: str, model: ModelT, runner: Runner) -> RoadLint:
    if road not in (GPU, WEB_GPU) or runner is Runner.PROCESSOR:
        return _lint(road, _unresolved(model), False)
    # The browser's delegate always takes what is quantized; on a phone and in Python it has to be asked to.
    quantized = road == WEB_GPU or runner is Runner.ADVANCED
    operators = operators_of(model, quantized)
    refusals = list(_refusals(road, model, operators, quantized))
    unsure = any(operator.name in rules.UNKNOWN_TO_RULES for operator in operators)
    return _lint(road, refusals, unsure)


def _lint(road: str, refusals: Sequence[Refusal], unsure: bool) -> RoadLint:
    counts = Counter(refusals)
    refused = tuple(RefusedOperator(name, count, words) for (name, words), count in counts.items())
    return RoadLint(road, "refused" if refused else "unknown" if unsure else "taken", refused)


def _unresolved(model: ModelT) -> list[Refusal]:
    """Custom operators that MediaPipe's interpreter does not have."""
    return [
        (operator.name, graph_rules.UNRESOLVED.format(name=operator.name))
        for operator in operators_of(model, quantized=False)
        if operator.custom and not graph_rules.is_resolved(operator)
    ]


def _refusals(road: str, model: ModelT, operators: Sequence[Operator], quantized: bool) -> Iterator[Refusal]:
    """What is refused, in the order in which the delegate looks: operators, then inputs and outputs, then the whole."""
    for operator in operators:
        words = _to_operator(road, operator, quantized)
        if words:
            yield operator.name, words
    floats = FLOATS if road == WEB_GPU else FLOATS[:1]
    for words in graph_rules.lost_ports(model, (*floats, *(BYTES if quantized else ()))):
        yield words.split()[0].lower(), words
    if road == GPU:
        for words in graph_rules.batched_ports(model) if quantized else ():
            yield "input", words
        yield from graph_rules.batch_mismatches(model, operators)
        yield from graph_rules.redeclared(operators)


def _to_operator(road: str, operator: Operator, quantized: bool) -> str:
    """What is said to one operator; empty if it is taken."""
    if operator.custom:
        known = operator.name in graph_rules.LITE_CUSTOM
        return graph_rules.UNSUPPORTED if known else graph_rules.UNRESOLVED.format(name=operator.name)
    if graph_rules.is_open(operator):
        return graph_rules.DYNAMIC
    if operator.name not in rules.KNOWN | (rules.QUANTIZING if quantized else frozenset()):
        return graph_rules.UNSUPPORTED
    words = _first(road, rules.CHECKED, operator)
    if not words and graph_rules.is_incompatible(operator, quantized):
        words = graph_rules.INCOMPATIBLE
    return words or _first(road, rules.PARSED, operator)


def _first(road: str, table: Sequence[rules.Rule], operator: Operator) -> str:
    for rule in table:
        if operator.name in rule.operators and road in rule.roads:
            words = rule.refusal(operator)
            if words is not None:
                return words
    return ""
