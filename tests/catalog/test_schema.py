"""The published JSON Schema and the reader know the same catalogs, and cannot drift apart."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from envguard.catalog.reading import catalog_from
from envguard.table_reader import TableReader
from envguard.toml import parse_toml
from tests.support.catalogs import GOOD, SEVERAL_INDEXES, SPOILT, Spoilt

CHECKOUT = Path(__file__).parents[2]
SCHEMA: dict[str, Any] = json.loads((CHECKOUT / "docs" / "catalog.schema.json").read_text(encoding="utf-8"))
CATALOGS = [CHECKOUT / "envguard" / "catalog" / "builtin.toml", *sorted(CHECKOUT.glob("examples/*/envguard.toml"))]

OPTIONAL = "optional-system-libraries"

# The reader's tables by the place that their errors name, and the same in the schema.
TABLES = {
    r"t": SCHEMA,
    r"t: index": SCHEMA["$defs"]["index"],
    r"t: index\[0\]": SCHEMA["$defs"]["named-index"],
    r"t: index\[1\]": SCHEMA["$defs"]["index"],
    r"t: image": SCHEMA["properties"]["image"],
    r"t: environments\.[^.:]+": SCHEMA["$defs"]["environment"],
    r"t: environments\.[^.:]+: check": SCHEMA["$defs"]["environment"]["properties"]["check"]["oneOf"][1],
    r"t: environments\..+: editions\.[^.:]+": SCHEMA["$defs"]["edition"],
    r"t: environments\..+: optional-system-libraries": SCHEMA["$defs"]["edition"]["properties"][OPTIONAL],
    r"t: samples\.[^.:]+": SCHEMA["$defs"]["sample"],
    r"t: samples\..+: files\[\d+\]": SCHEMA["$defs"]["sample"]["properties"]["files"]["items"],
    r"t: tasks\.[^:]+": SCHEMA["$defs"]["task"],
    r"t: tasks\.make: matrix": SCHEMA["$defs"]["task"]["properties"]["matrix"],
    r"t: tasks\.work: steps\[\d+\]": SCHEMA["$defs"]["payload-step"],
    r"t: tasks\.(make|lint): steps\[\d+\]": SCHEMA["$defs"]["command-step"],
}


def errors(document: object) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in Draft202012Validator(SCHEMA).iter_errors(document)]


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", CATALOGS, ids=lambda path: path.parent.name)
def test_the_schema_takes_every_catalog_of_the_repository(path: Path) -> None:
    assert errors(parse_toml(path.read_text(encoding="utf-8"))) == []


def test_the_schema_takes_everything_that_the_reader_takes() -> None:
    assert errors(GOOD) == []
    assert errors(SEVERAL_INDEXES) == []


@pytest.mark.parametrize("spoilt", [each for each in SPOILT if each.known], ids=lambda spoilt: spoilt.said)
def test_the_schema_refuses_what_the_reader_refuses(spoilt: Spoilt) -> None:
    assert errors(spoilt.document)


@pytest.mark.parametrize("spoilt", [each for each in SPOILT if not each.known], ids=lambda spoilt: spoilt.said)
def test_what_only_the_reader_knows_is_about_other_places_of_the_file(spoilt: Spoilt) -> None:
    assert errors(spoilt.document) == []


def test_both_know_the_same_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, set[str]] = {}
    done = TableReader.done

    def remembering(table: TableReader) -> None:
        asked[table._where] = set(table._asked)
        done(table)

    monkeypatch.setattr(TableReader, "done", remembering)
    for document in (GOOD, SEVERAL_INDEXES):
        catalog_from(document, source="t", lockfiles=Path())
    assert len(asked) >= len(TABLES)
    unused = dict(TABLES)
    for where, keys in asked.items():
        (pattern,) = [pattern for pattern in TABLES if re.fullmatch(pattern, where)]
        unused.pop(pattern, None)
        known = TABLES[pattern]["properties"].keys()
        # Of two keys that exclude each other, the reader asks for the one that is there.
        assert keys <= known, where
        assert known - keys <= {"output", "outputs", "check-options"}, where
    assert not unused
