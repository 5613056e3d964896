"""Documents that are made to take long, or to exhaust Python's recursion, are refused in a moment and in a sentence."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from envguard.catalog.reading import read_catalog
from envguard.documents import MOST_LEVELS, parse_json
from envguard.errors import BadInput, BrokenData
from envguard.models.recipe import read_recipe
from envguard.running.receipts.reading import read_receipt
from envguard.toml import MOST_PARTS, parse_toml

SECONDS = 1.0

KEYS = {
    "dotted": "a." * 50_000 + "b = 1",
    "quoted": '"a" . ' * 15_000 + "b = 1",
    "quoted dots": '"."."\',.".' * 10_000 + "b = 1",
    "quoted commas": '","."=".' * 12_000 + "b = 1",
    "in a head": "[" + "a." * 50_000 + "b]",
    "in an inline table": "x = {" + "a." * 50_000 + "b = 1}",
    "after a text": 'x = "' + "." * 50_000 + '"\n' + "a." * 25_000 + "b = 1",
    "an open quote": "a." * 100 + '\\"' * 50_000,
}


def nested(levels: int, table: bool = True) -> str:
    """JSON of one in another."""
    return '{"a":' * levels + "1" + "}" * levels if table else "[" * levels + "]" * levels


@pytest.mark.parametrize("text", KEYS.values(), ids=KEYS)
def test_a_hundred_kilobytes_of_one_key_are_refused_in_under_a_second(tmp_path: Path, text: str) -> None:
    catalog = tmp_path / "envguard.toml"
    catalog.write_text(f"schema = 1\n{text}\n")
    started = time.process_time()
    with pytest.raises(BrokenData, match=r"envguard\.toml cannot be read") as caught:
        read_catalog(catalog, lockfiles=tmp_path)
    assert time.process_time() - started < SECONDS
    assert f"more than {MOST_PARTS} parts" in caught.value.why


def test_dots_that_make_no_long_key_are_read() -> None:
    numbers = ", ".join(["1.5"] * 1000)
    names = ", ".join(f'"package{number}==1.2.3"' for number in range(1000))
    key = ".".join("a" * MOST_PARTS)
    read = parse_toml(f'numbers = [{numbers}]\nnames = [{names}]\nprose = "{"a. " * 1000}"\n{key} = 1\n')
    assert set(read) == {"numbers", "names", "prose", "a"}


@pytest.mark.parametrize("levels", [MOST_LEVELS + 2, 100, 330, 900, 5_000, 100_000])
@pytest.mark.parametrize("table", [True, False], ids=["tables", "lists"])
def test_documents_in_documents_are_refused_at_every_depth(tmp_path: Path, levels: int, table: bool) -> None:
    path = tmp_path / "file.json"
    inner = nested(levels, table)
    for text in (inner, f'{{"schema": 1, "options": {{"quantize": {inner}}}}}', f'{{"models": {inner}}}'):
        path.write_text(text)
        with pytest.raises(BrokenData, match="cannot be read"):
            read_receipt(path)
        with pytest.raises(BadInput, match="cannot be read"):
            read_recipe(path)
    path.write_text("x = " + inner.replace(":", "=").replace('"', ""))
    with pytest.raises(BrokenData, match="cannot be read"):
        read_catalog(path, lockfiles=tmp_path)


def test_what_is_nested_as_deep_as_is_taken_is_read() -> None:
    assert parse_json(nested(MOST_LEVELS)) == json.loads(nested(MOST_LEVELS))
