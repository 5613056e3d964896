"""Resolvers' refusals, as pip and uv print them, become the requirements that exclude each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from envguard.cli.diagnosis.ways_out import ways_for
from envguard.doctor.conflicts import Conflict, read_conflict
from envguard.doctor.specifiers import exclude_each_other
from tests.support.logs_kept import clean, failures

LOGS = {path.name: path for _, path in failures()}


def conflict_in(name: str) -> Conflict:
    found = read_conflict(LOGS[f"resolution_impossible.{name}.log"].read_text(encoding="utf-8").splitlines())
    assert found is not None
    return found


@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_a_pin_against_what_the_quantizer_pins(tool: str) -> None:
    conflict = conflict_in(f"{tool}-conflict")
    assert (conflict.tool, conflict.package) == (tool, "ai-edge-litert")
    assert {(each.requirement, each.by.replace(">=", "==")) for each in conflict.demands} == {
        ("ai-edge-litert==2.1.4", "you"),
        ("ai-edge-litert==2.3.0", "ai-edge-quantizer==0.10.0"),
    }
    assert set(conflict.wanted) >= {"ai-edge-litert==2.1.4", "ai-edge-quantizer==0.10.0"}


@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_a_range_that_a_package_forbids(tool: str) -> None:
    conflict = conflict_in(f"{tool}-conflict-mp")
    assert conflict.package == "numpy"
    assert {(each.requirement, each.by) for each in conflict.demands} == {
        ("numpy>=2", "you"),
        ("numpy<2", "mediapipe==0.10.21"),
    }


@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_two_packages_that_want_a_third_at_versions_apart(tool: str) -> None:
    conflict = conflict_in(f"{tool}-conflict-tf")
    assert conflict.package == "protobuf"
    assert {each.by for each in conflict.demands} == {"tensorflow==2.21.0", "mediapipe==0.10.21"}


def test_uv_says_through_whom_a_requirement_came() -> None:
    (brought,) = [each for each in conflict_in("uv-conflict-mp").demands if each.by != "you"]
    assert brought.through == ("you",)


def test_a_conflict_drawn_as_a_tree_on_a_narrow_terminal_is_read_too() -> None:
    said = """\
  × No solution found when resolving dependencies:
  ╰─▶ Because mediapipe==0.10.21 depends on numpy<2 and
      you require mediapipe==0.10.21, we can conclude
      that you require numpy<2.
      And because you require numpy>=2, we can conclude
      that your requirements are unsatisfiable.
"""
    conflict = read_conflict(said.splitlines())
    assert conflict is not None
    assert {each.requirement for each in conflict.demands} == {"numpy<2", "numpy>=2"}


def test_other_refusals_are_no_conflicts() -> None:
    for rule, log in failures():
        if rule != "resolution_impossible":
            assert read_conflict(log.read_text(encoding="utf-8").splitlines()) is None, log.name
    for log in clean():
        assert read_conflict(log.read_text(encoding="utf-8").splitlines()) is None, log.name


@pytest.mark.parametrize(
    ("one", "other", "excluded"),
    [
        ("==2.3.0", "==2.1.4", True),
        ("<2", ">=2", True),
        ("<5,>=4.25.3", "<8.0.0,>=6.31.1", True),
        ("<2", ">=1.26", False),
        ("", "==1", False),
        ("==2.*", ">=2.5,<3", False),
        ("!=2", "==2", True),
        (">1,<2", "==1.5.dev3", False),
        ("not a version", "==1", False),
    ],
)
def test_specifiers_exclude_each_other_when_no_version_meets_both(one: str, other: str, excluded: bool) -> None:
    assert exclude_each_other(one, other) is excluded
    assert exclude_each_other(other, one) is excluded


def test_the_catalog_has_editions_that_end_a_conflict() -> None:
    ways = ways_for(conflict_in("pip-conflict"))
    assert {(way.environment, way.edition) for way in ways} >= {("quantize", "0.10"), ("quantize", "0.6")}
    kept = {way.edition: way.keeps for way in ways}
    assert kept["0.10"] == ("ai-edge-quantizer==0.10.0",)
    assert kept["0.6"] == ("ai-edge-litert==2.1.4",)
    assert all(way.pythons for way in ways)


def test_what_the_catalog_does_not_have_ends_nothing() -> None:
    assert not [way for way in ways_for(conflict_in("uv-conflict-tf")) if way.environment == "quantize"]


def test_the_longest_sentence_is_read_in_time(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("No solution found when resolving\n" + "Because a depends on b<1 and a==1 depends on b>2 " * 20_000)
    assert read_conflict(log.read_text().splitlines()) is not None
