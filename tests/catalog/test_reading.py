"""A catalog is read whole or refused with the place that is wrong."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from envguard.catalog.reading import LARGEST_FILE, catalog_from, read_catalog
from envguard.errors import BrokenData

GOOD: dict[str, Any] = {
    "schema": 1,
    "environments": {
        "tools": {
            "summary": "tools",
            "pythons": ["3.11"],
            "check": "checks.imports",
            "editions": {"2": {"requirements": ["six==1.16.0"]}, "1": {"requirements": ["six==1.15.0"]}},
        }
    },
    "samples": {
        "one": {
            "summary": "a file",
            "environment": "tools",
            "files": [{"path": "six.py", "bytes": 1, "sha256": "0" * 64}],
        }
    },
    "tasks": {
        "work": {
            "summary": "work",
            "output": "first:made",
            "steps": [
                {
                    "name": "first",
                    "environment": "tools",
                    "run": "steps.inspect",
                    "inputs": {"a": "task:input", "b": "sample:one"},
                }
            ],
        }
    },
}


def changed(*path: str | int, to: object) -> dict[str, Any]:
    document = copy.deepcopy(GOOD)
    place: Any = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = to
    return document


def test_editions_keep_the_order_of_the_file() -> None:
    catalog = catalog_from(GOOD, source="test", lockfiles=Path())
    assert [edition.name for edition in catalog.environments["tools"].editions] == ["2", "1"]
    assert catalog.tasks["work"].steps[0].inputs == {"a": "task:input", "b": "sample:one"}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (changed("schema", to=2), "reads schema 1"),
        (changed("environments", "tools", "chek", to="x"), "did you mean 'check'"),
        (changed("environments", "tools", "check", to="os.system"), "a check such as"),
        (changed("environments", "tools", "pythons", to=["3"]), "Python minor"),
        (changed("environments", "tools", "pythons", to="3.11"), "must be a list"),
        (changed("environments", "tools", "editions", to={}), "at least one edition"),
        (changed("environments", "../evil", to=GOOD["environments"]["tools"]), "is no name"),
        (changed("environments", "tools", to=3), "is not a table"),
        (changed("samples", "one", "environment", to="other"), "unknown environment 'other'"),
        (changed("samples", "one", "files", 0, "path", to="../../etc/passwd"), "without '..'"),
        (changed("samples", "one", "files", 0, "path", to="C:\\x"), "without '..'"),
        (changed("samples", "one", "files", 0, "bytes", to=True), "whole number"),
        (changed("samples", "one", "files", to=[]), "at least one table"),
        (changed("tasks", "work", "output", to="later:made"), "of no step"),
        (changed("tasks", "work", "steps", 0, "inputs", to={"a": "later:made"}), "does not come before"),
        (changed("tasks", "work", "steps", 0, "inputs", to={"a": "sample:none"}), "not there"),
        (changed("tasks", "work", "steps", 0, "environment", to="none"), "unknown environment"),
        (changed("tasks", "work", "summary", to="a\x1b[2Jb"), "printable"),
    ],
)
def test_what_is_wrong_is_named(document: dict[str, Any], said: str) -> None:
    with pytest.raises(BrokenData) as caught:
        catalog_from(document, source="test.toml", lockfiles=Path())
    assert said in caught.value.what
    assert caught.value.what.startswith("test.toml")


@pytest.mark.parametrize(
    "content",
    [b"\xff\xfe", b"schema = ", b"a = " + b"[" * 50_000, b"#" * (LARGEST_FILE + 1)],
    ids=["not UTF-8", "not TOML", "deeply nested", "huge"],
)
def test_a_file_that_is_no_catalog_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.toml"
    path.write_bytes(content)
    with pytest.raises(BrokenData, match=r"bad\.toml cannot be read"):
        read_catalog(path, lockfiles=tmp_path)
