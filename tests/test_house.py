"""The rules of the house are kept: sizes, circles, dead code, and who may know what."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grimp
import pytest

from envguard.toml import parse_toml
from tests.support import house

EXCEPTIONS: dict[str, Any] = parse_toml(Path(__file__).with_name("house.toml").read_text(encoding="utf-8"))
RULES = [*(rule.__name__ for rule in house.RULES), "circles"]


def exceptions(rule: str) -> list[str]:
    """What may offend against a rule, for good or until it is mended."""
    kept = EXCEPTIONS.get(rule, {})
    return [*kept.get("reasons", {}), *kept.get("to-mend", [])]


def offences(rule: str) -> list[str]:
    """What offends against a rule in this checkout."""
    subject = house.import_graph() if rule == "circles" else house.sources()
    return sorted(set(getattr(house, rule)(subject)))


def covers(exception: str, offence: str) -> bool:
    """An exception is an offence, or a file with all its offences."""
    return offence == exception or offence.startswith((f"{exception}:", f"{exception} "))


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_kept_and_its_exceptions_are_needed(rule: str) -> None:
    found = offences(rule)
    allowed = exceptions(rule)
    new = [offence for offence in found if not any(covers(each, offence) for each in allowed)]
    needless = [each for each in allowed if not any(covers(each, offence) for offence in found)]
    said = getattr(house, rule).__doc__
    assert not new, f"{said}\nThese are new: mend them, or give a reason in tests/house.toml.\n" + "\n".join(new)
    assert not needless, f"{said}\nThese are mended: take them out of tests/house.toml.\n" + "\n".join(needless)


def test_every_exception_is_to_a_rule_and_has_a_reason() -> None:
    assert set(EXCEPTIONS) <= set(RULES)
    for kept in EXCEPTIONS.values():
        assert set(kept) <= {"reasons", "to-mend"}
        assert all(reason.strip() for reason in kept.get("reasons", {}).values())


def test_few_imports_are_inside_functions() -> None:
    assert len(offences("imports_inside")) <= house.IMPORTS_INSIDE


IMPORTS = ("from tests.b import c", "from tests.support import d", "X = 'import sys; FROM tests.e import f'")
MADE = {
    "long_modules": ("envguard/a.py", "x = 1\n" * 351, ["envguard/a.py"]),
    "long_functions": ("envguard/a.py", "class A:\n  def b(self):\n" + "    x = 1\n" * 40, ["envguard/a.py:A.b"]),
    "many_parameters": ("envguard/a.py", "if 1:\n  def f(a, b, c, /, d, e, *, f, g): ...", ["envguard/a.py:f"]),
    "imports_inside": (
        "envguard/a.py",
        "def f():\n  import b\n  def g():\n    from .c import d",
        ["envguard/a.py:f .c", "envguard/a.py:f b"],
    ),
    "untyped_values": ("envguard/a.py", "def f(a: dict[str, Any]): ...", ["envguard/a.py"]),
    "tests_that_import_tests": (
        "tests/a.py",
        "\n".join(IMPORTS).replace("FROM", "from"),
        ["tests/a.py tests.b", "tests/a.py tests.e"],
    ),
    "words_of_models": ("envguard/cli/a.py", "# as MediaPipe has it", ["envguard/cli/a.py"]),
    "dead_code": (
        "envguard/a.py",
        "def used(): ...\nclass A:\n  x: int\n  y = 1\nused()",
        ["envguard/a.py:A", "envguard/a.py:y"],
    ),
}


@pytest.mark.parametrize("rule", MADE)
def test_what_offends_is_found(rule: str) -> None:
    path, text, offences = MADE[rule]
    find: Callable[[list[house.Source]], Iterator[str]] = getattr(house, rule)
    assert sorted(find([house.read(path, text)])) == offences


def test_a_folder_with_one_module_too_many_is_found() -> None:
    assert list(house.full_folders([house.read(f"envguard/a/{number}.py", "") for number in range(20)])) == []
    found = house.full_folders([house.read(f"envguard/a/{number}.py", "") for number in range(21)])
    assert list(found) == ["envguard/a"]


def test_a_circle_is_found_and_what_leads_to_it_is_not() -> None:
    graph = grimp.ImportGraph()
    for importer, imported in (("a", "b"), ("b", "c"), ("c", "b"), ("c", "d")):
        graph.add_import(importer=importer, imported=imported)
    assert sorted(house.circles(graph)) == ["b c", "c b"]
