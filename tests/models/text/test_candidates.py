"""Which recipes were tried is told with the reason why each lost."""

from __future__ import annotations

from typing import Any

from envguard.models.text.candidates import HEADS, candidate_lines, candidate_tables


def candidate(name: str, outcome: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "bytes": 1000, "error": 0.5, "time": {"ratio": 0.8}, "outcome": outcome, **more}


TRIED = [
    candidate("float16", "its size is 1.50 of what was taken"),
    candidate("int8 weights", "taken"),
    candidate("int8 everywhere", "its error of 3.00 is over the limit of 0.5", error=None, time=None),
]


def test_a_terminal_shows_what_was_taken_and_why_the_others_were_not() -> None:
    assert candidate_lines([{"name": "net", "candidates": TRIED}]) == [
        "net: int8 weights, of 3 recipes tried",
        "  float16: its size is 1.50 of what was taken",
        "  int8 everywhere: its error of 3.00 is over the limit of 0.5",
    ]


def test_a_page_shows_what_was_measured_and_what_could_not_be() -> None:
    (rows,) = candidate_tables([{"name": "net", "candidates": TRIED}]).values()
    assert rows[0] == HEADS
    assert rows[2] == ("int8 weights", "1,000", "0.500", "0.80", "taken")
    assert rows[3][2:4] == ("no number", "not measured")


def test_where_nothing_was_tried_nothing_is_shown() -> None:
    models: list[dict[str, Any]] = [{"name": "net", "candidates": []}, {"name": "other"}]
    assert candidate_lines(models) == []
    assert candidate_tables(models) == {}
