"""Each rule against what tools really printed, and against what only looks like it."""

from __future__ import annotations

import io
import re
import time
from pathlib import Path

import pytest

from envguard.doctor.diagnosing import diagnose
from envguard.doctor.rules import Rule, builtin_rules, read_rules
from envguard.errors import BrokenData
from envguard.toml import parse_toml
from tests.support.logs_kept import clean, failures

RULES = builtin_rules()
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


def test_every_rule_has_a_log_and_a_near_miss() -> None:
    known = {rule.identifier for rule in RULES}
    assert {rule for rule, _ in failures()} == known == set(NEAR_MISSES)


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
