"""A catalog is read whole or refused with the place that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from envguard.catalog.model import CommandStep, PayloadStep
from envguard.catalog.reading import LARGEST_FILE, catalog_from, read_catalog
from envguard.errors import BrokenData
from tests.support.catalogs import GOOD, SPOILT, Spoilt


def test_editions_keep_the_order_of_the_file() -> None:
    catalog = catalog_from(GOOD, source="test", lockfiles=Path())
    assert [edition.name for edition in catalog.environments["tools"].editions] == ["2", "1"]
    (step,) = catalog.tasks["work"].steps
    assert isinstance(step, PayloadStep)
    assert {name: str(reference) for name, reference in step.inputs.items()} == {"a": "task:input", "b": "sample:one"}


def test_a_command_is_kept_as_it_is_written() -> None:
    catalog = catalog_from(GOOD, source="test", lockfiles=Path(), folder=Path("project"))
    task = catalog.tasks["make"]
    assert task.inputs == ("a", "c")
    assert {name: str(reference) for name, reference in task.outputs.items()} == {
        "report": "second:report",
        "log": "first:log",
    }
    assert task.folder == Path("project")
    first = task.steps[0]
    assert isinstance(first, CommandStep)
    assert first.command == (
        "python", "steps/first.py", "{input.a}", "--out={output.log}", '{"plain": "braces"}'
    )  # fmt: skip
    assert first.env == {"TF_CPP_MIN_LOG_LEVEL": "2", "AUTHORIZATION": "Bearer ${API_TOKEN}"}
    assert first.pass_env == ("API_TOKEN", "CI")
    other = catalog.environments["other"]
    assert other.check_command == ("python", "checks/other.py", "{input.one}", "{input.site-packages}")
    assert other.check == "python checks/other.py {input.one} {input.site-packages}"


@pytest.mark.parametrize("spoilt", SPOILT, ids=lambda spoilt: spoilt.said)
def test_what_is_wrong_is_named(spoilt: Spoilt) -> None:
    with pytest.raises(BrokenData) as caught:
        catalog_from(spoilt.document, source="test.toml", lockfiles=Path())
    assert spoilt.said in caught.value.what
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
