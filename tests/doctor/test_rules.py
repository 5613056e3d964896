"""Each rule against what tools really printed, and against what only looks like it."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import re
import time
from pathlib import Path
from typing import Literal

import pytest

from envguard.doctor.diagnosing import diagnose
from envguard.doctor.rules import Rule, builtin_rules, read_rules
from envguard.errors import BrokenData
from envguard.toml import parse_toml
from tests.support.logs_kept import clean, failures, first_hint, rates, threads

RULES = builtin_rules()
HALVES: tuple[Literal["made_from", "held_out"], ...] = ("made_from", "held_out")
NEAR_MISSES = parse_toml(Path(__file__).with_name("near_misses.toml").read_text(encoding="utf-8"))
RULE = """
schema = 1
[[rules]]
id = "one"
applies_to = ["pip"]
literals = ["boom"]
pattern = 'boom (?P<what>\\w{1,9})'
cause = "{what} went boom"
cure = "none"
reproduced = true
"""


@pytest.mark.parametrize(("rule", "log"), failures(), ids=lambda value: value.stem if isinstance(value, Path) else "")
def test_a_real_failure_gets_its_rule_as_first_hint(rule: str, log: Path) -> None:
    with log.open("rb") as stream:
        hints = diagnose(stream).hints
    assert [hint.rule.identifier for hint in hints[:1]] == [rule]
    assert hints[0].text in " ".join(log.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("log", clean(), ids=lambda path: path.stem)
def test_what_worked_gets_no_hint(log: Path) -> None:
    with log.open("rb") as stream:
        diagnosis = diagnose(stream)
    assert diagnosis.hints == ()
    assert diagnosis.conflict is None


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.identifier)
def test_a_near_miss_does_not_match(rule: Rule) -> None:
    assert diagnose(io.BytesIO(str(NEAR_MISSES[rule.identifier]).encode()), [rule]).hints == ()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.identifier)
def test_no_line_makes_a_pattern_slow(rule: Rule) -> None:
    pattern = re.compile(rule.pattern)
    parts = [*rule.literals, "a", " ", "'", "/", "Because ", "depends on ", "x, ", "=>", "no version of "]
    began = time.process_time()
    for part in parts:
        for literal in rule.literals:
            pattern.search((literal + part * 4000)[:12_000])
            pattern.search((part * 4000 + literal)[:12_000])
    assert time.process_time() - began < 2.0


KNOWN = {rule.identifier for rule in RULES}
EXPLAINED = {log: rules for log, rules in threads("made_from").items() if not rules or KNOWN & set(rules)}
EXAMPLES = [*failures(), *((rules[0], log) for log, rules in EXPLAINED.items() if rules)]


def test_every_rule_has_a_log_and_a_near_miss() -> None:
    assert {rule for rule, _ in EXAMPLES} == KNOWN == set(NEAR_MISSES)


@pytest.mark.parametrize(("rule", "log"), EXAMPLES, ids=lambda value: value.stem if isinstance(value, Path) else "")
def test_no_literal_hides_what_the_pattern_of_its_rule_finds(rule: str, log: Path) -> None:
    (tried,) = (each for each in RULES if each.identifier == rule)
    text = log.read_bytes()
    filtered = diagnose(io.BytesIO(text), [tried]).hints
    unfiltered = diagnose(io.BytesIO(text), [dataclasses.replace(tried, literals=("",))]).hints
    assert bool(filtered) == bool(unfiltered)
    if tried.pattern:  # A story reads the rows around its word, so it can begin in another one.
        assert [hint.line for hint in filtered] == [hint.line for hint in unfiltered]


@pytest.mark.parametrize("log", EXPLAINED, ids=lambda path: path.stem)
def test_a_text_that_rules_were_made_from_gets_a_right_hint_first(log: Path) -> None:
    found, right = first_hint(log), EXPLAINED[log]
    assert found in right if right else found is None


def test_texts_that_only_measure_are_told_as_well_as_the_page_says() -> None:
    held_out = rates("held_out")
    assert str(held_out) in " ".join(
        (Path(__file__).parents[2] / "docs" / "doctor.md").read_text(encoding="utf-8").split()
    )


def test_the_name_of_a_text_says_that_it_only_measures() -> None:
    assert all(hashlib.sha256(log.stem.encode()).digest()[0] % 2 for log in threads("held_out"))


def test_every_text_is_in_one_half() -> None:
    kept = {path.name for path in (failures()[0][1].parents[1] / "threads").glob("*.log")}
    assert {log.name for half in HALVES for log in threads(half)} == kept


@pytest.mark.parametrize(
    "log",
    [
        "2024-02-26 18:00:24.457143: W tensorflow/stream_executor/platform/default/dso_loader.cc:64] Could not load "
        "dynamic library 'libcudart.so.11.0'; dlerror: libcudart.so.11.0: cannot open shared object file: No such file",
        "WARNING: Retrying (Retry(total=4, connect=None, read=None, redirect=None, status=None)) after connection "
        "broken by 'ReadTimeoutError(\"Read timed out. \")': /simple/six/\nSuccessfully installed six-1.17.0",
    ],
)
def test_a_warning_after_which_all_went_well_gets_no_hint(log: str) -> None:
    assert diagnose(io.BytesIO(log.encode())).hints == ()


def test_a_retry_after_which_nothing_went_well_gets_its_hint() -> None:
    log = b"WARNING: Retrying (Retry(total=4)) after connection broken by 'Read timed out.': /simple/six/\n"
    assert diagnose(io.BytesIO(log + b"ERROR: No matching distribution found for six")).hints


def test_there_are_as_many_rules_and_logs_as_promised() -> None:
    assert len(RULES) >= 50
    assert len(failures()) >= 40
    assert len(clean()) >= 100


def test_no_sentence_of_a_hint_is_left_unfilled() -> None:
    for _, log in failures():
        with log.open("rb") as stream:
            for hint in diagnose(stream).hints:
                assert "{" not in hint.cause + hint.cure
                assert "  " not in hint.cause + hint.cure


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("schema = 1", "schema = 2", "must be 1, the schema"),
        ("{what} went", "{who} went", "not a group of the pattern"),
        ("reproduced = true", "reproduced = false", "must name the issue"),
        ("cure =", "remedy =", "cure is missing"),
        ('literals = ["boom"]', "literals = []", "at least 1"),
        ('id = "one"', 'id = "One"', "identifier"),
        ("reproduced = true", 'reproduced = true\nupstream = "somewhere"', "owner/repo"),
    ],
)
def test_rules_that_break_the_schema_are_refused(old: str, new: str, said: str) -> None:
    assert read_rules(RULE, source="rules")[0].identifier == "one"
    with pytest.raises(BrokenData, match=said):
        read_rules(RULE.replace(old, new), source="rules")


def test_a_rule_cannot_be_there_twice() -> None:
    with pytest.raises(BrokenData, match="twice"):
        read_rules(RULE + RULE.replace("schema = 1", ""), source="rules")
