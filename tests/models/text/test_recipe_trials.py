"""The recipes that were tried are listed with the reason why each lost."""

from __future__ import annotations

from dataclasses import replace

from envguard.models.text.recipe_trials import HEADS, trial_lines, trial_tables
from envguard.payload.contract import RecipeTrial
from tests.support.reports import MODEL, measured

TRIED = (
    RecipeTrial("float16", 1000, 0.5, measured(0.8), "its size is 1.50 of what was taken"),
    RecipeTrial("int8 weights", 1000, 0.5, measured(0.8), "taken"),
    RecipeTrial("int8 everywhere", 1000, None, None, "its error of 3.00 is over the limit of 0.5"),
)
NET = replace(MODEL, name="net", candidates=TRIED)


def test_a_terminal_shows_what_was_taken_and_why_the_others_were_not() -> None:
    assert trial_lines([NET]) == [
        "net: int8 weights, of 3 recipes tried",
        "  float16: its size is 1.50 of what was taken",
        "  int8 everywhere: its error of 3.00 is over the limit of 0.5",
    ]


def test_a_page_shows_what_was_measured_and_what_could_not_be() -> None:
    (rows,) = trial_tables([NET]).values()
    assert rows[0] == HEADS
    assert rows[2] == ("int8 weights", "1,000", "0.500", "0.80", "taken")
    assert rows[3][2:4] == ("no number", "not measured")


def test_where_nothing_was_tried_nothing_is_shown() -> None:
    assert trial_lines([MODEL]) == []
    assert trial_tables([MODEL]) == {}
