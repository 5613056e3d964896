"""What an environment leads with, and how another release of it would be an edition."""

from __future__ import annotations

from pathlib import Path

from packaging.version import Version

from envguard.catalog import builtin_catalog
from envguard.catalog.model import Edition, Environment
from envguard.catalog.renewal import candidates, is_loose, lines_of, placed, tightened


def environment(*editions: Edition) -> Environment:
    return Environment("tools", "tools", "checks.imports", editions, Path("lockfiles"))


def edition(name: str, *requirements: str, offered: bool = True, overrides: tuple[str, ...] = ()) -> Edition:
    return Edition(name, ("3.11",), requirements, overrides, offered=offered)


def test_each_package_that_comes_first_among_the_pins_has_a_line() -> None:
    lines = lines_of(
        environment(
            edition("1", "numpy", "A.b==1.0", "c==9"),
            edition("2", "a-b==2.0"),
            edition("2.1", "a_b==2.1", offered=False),
            edition("next", "other[x] == 0.5 ; python_version > '3'"),
            edition("free", "numpy>=1", "c==1.*", "d===1"),
        )
    )
    found = [(line.package, str(line.version), line.newest.name, list(map(str, line.known))) for line in lines]
    assert found == [("a-b", "2.0", "2", ["1.0", "2.0", "2.1"]), ("other", "0.5", "next", ["0.5"])]


def test_envguards_own_environments_lead_with_what_they_are_for() -> None:
    environments = builtin_catalog().environments
    packages = {name: [line.package for line in lines_of(each)] for name, each in environments.items()}
    assert packages["quantize"] == ["ai-edge-quantizer", "litert-quantizer"]
    assert packages["verify"] == ["mediapipe"]
    assert packages["convert"] == ["tensorflow-cpu"]
    assert packages["report"] == packages["envguard"] == []


def test_what_is_released_together_moves_together_else_the_lead_alone() -> None:
    old = edition(
        "2.21", "tensorflow-cpu==2.21.0 ; os_name == 'x'", "tensorflow == 2.21.0", "pillow==11.0", "numpy",
        overrides=("tensorflow==2.21.0 ; os_name == 'y'", "jax ; python_version < '0'"),
    )  # fmt: skip
    tools = environment(old)
    (line,) = lines_of(tools)
    together, alone, loose = candidates(tools, line, Version("2.22"))
    assert together.name == "2.22"
    assert together.requirements[:2] == ("tensorflow-cpu==2.22 ; os_name == 'x'", "tensorflow == 2.22")
    assert together.overrides == ("tensorflow==2.22 ; os_name == 'y'", "jax ; python_version < '0'")
    assert together.requirements[2:] == ("pillow==11.0", "numpy")
    assert alone.requirements[:2] == ("tensorflow-cpu==2.22 ; os_name == 'x'", "tensorflow == 2.21.0")
    assert loose.requirements == (
        "tensorflow-cpu==2.22 ; os_name == 'x'", "tensorflow >=2.21.0", "pillow>=11.0", "numpy",
    )  # fmt: skip
    assert [is_loose(each, line) for each in (together, alone, loose)] == [False, False, True]
    pinned = tightened(loose, line, {"tensorflow": "2.21.1", "pillow": "12.0", "numpy": "2.3"})
    assert pinned.requirements == (
        "tensorflow-cpu==2.22 ; os_name == 'x'", "tensorflow == 2.21.1", "pillow==12.0", "numpy",
    )  # fmt: skip


def test_a_lead_that_comes_alone_makes_one_candidate() -> None:
    tools = environment(edition("1", "a==1.0", "b>=2"))
    (line,) = lines_of(tools)
    assert [each.requirements for each in candidates(tools, line, Version("1.1"))] == [("a==1.1", "b>=2")]


def test_a_new_edition_has_a_name_that_a_catalog_takes_and_no_other_edition_has() -> None:
    tools = environment(edition("1.1", "b==1"), edition("1", "a==1.0"))
    line = lines_of(tools)[1]
    names = [candidates(tools, line, Version(each))[0].name for each in ("1.1", "2!1.2+Local.1", "1.3rc1")]
    assert names == ["1.1-2", "2-1.2-local.1", "1.3rc1"]


def test_editions_are_in_the_order_of_preference() -> None:
    one, two, new = edition("1"), edition("2"), edition("new")
    assert placed((one, two), new, "2", before=True) == (one, new, two)
    assert placed((one, two), new, "2", before=False) == (one, two, new)
