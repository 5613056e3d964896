"""Whatever a text holds, every YAML reader gives it back; what is harmless stands without quotes."""

from __future__ import annotations

import random
import string

import pytest
from ruamel.yaml import YAML

from envguard.report.yaml import YamlValue, to_yaml

HOSTILE = [
    "", " ", "yes", "No", "on", "null", "~", "1", "1.5", "1e3", "0x1f", "1:30", "2026-11-22", ".inf", ".NaN", "true",
    "- x", "a: b", "a:", ": a", "#x", "a #b", "*a", "&a", "!a", "%a", "@a", "`a", "|", ">", "[a", "{a", "a]", "?",
    "? a", "'", '"', "'a'", 'say "it"', "back\\slash", "\\n", "tab\tin", "line\nbreak", "\nfirst empty", "last\n\n",
    " indented\nline", "trailing \nspace", "cr\r\n", "\x1b[2J", "\x85next", "\u2028", "\ufeffbom", "naïve 日本 🙂",
    "\x7f", "...", "---", "a\n---\nb", "a\n...\nb", "$(touch x); rm -rf *", "${{ secrets.X }}", "<<", "=", "a" * 5000,
]  # fmt: skip


def read(text: str, version: tuple[int, int]) -> object:
    reader = YAML(typ="safe", pure=True)
    reader.version = version
    return reader.load(text)


@pytest.mark.parametrize("version", [(1, 1), (1, 2)])
@pytest.mark.parametrize("text", HOSTILE)
def test_every_text_is_read_back_wherever_it_stands(text: str, version: tuple[int, int]) -> None:
    document: dict[str, YamlValue] = {
        "value": text,
        "list": [text, {"deep": text, "more": [text]}, [text, text]],
        "map": {"key": {"key": text}, "last": text},
    }
    assert read(to_yaml(document), version) == document


def test_texts_of_chance_are_read_back() -> None:
    chance = random.Random(0)
    alphabet = string.printable + "äß€🙂\x00\x85\u2029"
    for _ in range(2000):
        text = "".join(chance.choices(alphabet, k=chance.randrange(12)))
        assert read(to_yaml({"value": [text]}), (1, 2)) == {"value": [text]}, ascii(text)


def test_other_values_are_themselves() -> None:
    document: dict[str, YamlValue] = {"yes": True, "count": 60, "nothing": None, "empty": [], "bare": {}}
    assert read(to_yaml(document), (1, 2)) == document


@pytest.mark.parametrize(
    "text",
    [
        "actions/checkout@v4",
        "envguard run quantize sample:face -o out/a.task",
        "${{ runner.os }}-x",
        ".store/environments",
    ],
)
def test_what_is_harmless_has_no_quotes(text: str) -> None:
    assert to_yaml({"value": text}) == f"value: {text}\n"


def test_lines_stand_as_they_are() -> None:
    assert to_yaml({"run": 'one "x"\n\n  two\n'}) == 'run: |\n  one "x"\n\n    two\n'


def test_a_key_may_have_the_prefix_of_a_label_of_kubernetes() -> None:
    assert to_yaml({"kubernetes.io/arch": "arm64"}) == "kubernetes.io/arch: arm64\n"


@pytest.mark.parametrize("key", ["a b", "", "1", "x:", "-", "é", "/x", "a/b", "a.b/", "a b.c/d"])
def test_other_keys_are_refused(key: str) -> None:
    with pytest.raises(ValueError, match="needs quotes as a key"):
        to_yaml({key: 1})
