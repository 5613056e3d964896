"""Each block of docs/projects.md that shows a part of an envguard.toml is one: the catalog takes it as it stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from envguard.catalog import builtin_catalog
from envguard.catalog.reading import catalog_from
from envguard.errors import BrokenData
from envguard.toml import parse_toml
from tests.support.projects_page import OWN, PAGE, TOOLS, blocks

WHOLE, *PARTS = blocks("toml", PAGE.replace(OWN, ""))
EDITION = "[environments.NAME.editions.EDITION]\n"


def written(part: str) -> str:
    """A part as a reader would write it into the page's own envguard.toml."""
    text = part if part.lstrip().startswith("[") else EDITION + part
    names = {"environments.NAME": "environments.new", "editions.EDITION": "editions.1", "tasks.NAME": "tasks.report"}
    for shown, meant in names.items():
        text = text.replace(shown, meant)
    return text


def merged(whole: Any, part: Any) -> Any:
    """One document with another written into it; tables of a list go one by one into those that are there."""
    if isinstance(whole, dict) and isinstance(part, dict):
        return whole | {key: merged(whole[key], each) if key in whole else each for key, each in part.items()}
    if isinstance(whole, list) and isinstance(part, list) and all(isinstance(each, dict) for each in [*whole, *part]):
        return [merged(*each) for each in zip(whole, part, strict=False)] + whole[len(part) :]
    return part


@pytest.mark.parametrize("part", PARTS, ids=lambda part: " ".join(part.split())[:50])
def test_a_part_of_an_envguard_toml_is_taken_by_the_catalog(part: str, tmp_path: Path) -> None:
    document = merged(parse_toml(WHOLE + TOOLS), parse_toml(written(part)))
    catalog = catalog_from(
        document, source="envguard.toml", lockfiles=tmp_path / "lockfiles", folder=tmp_path, base=builtin_catalog()
    )
    assert {"old", "new", "tools"} <= catalog.environments.keys()


def test_a_part_with_a_key_that_there_is_not_is_noticed(tmp_path: Path) -> None:
    document = merged(parse_toml(WHOLE), parse_toml(written('built = ["promise"]')))
    with pytest.raises(BrokenData, match="built"):
        catalog_from(document, source="envguard.toml", lockfiles=tmp_path, folder=tmp_path, base=builtin_catalog())
