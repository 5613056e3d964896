"""A receipt says what a run was made of, can be proved by doing the run again, and is no way in for anybody."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from envguard.errors import BrokenData
from envguard.host.interpreters import HostFacts
from envguard.planning import minor_of
from envguard.running.receipts.reading import LARGEST_RECEIPT, read_receipt, receipt_from
from tests.support.command import Ended, envguard
from tests.support.documents import problems
from tests.support.projects import trusted, write_project

CHECKOUT = Path(__file__).parents[2]
SCHEMA: dict[str, Any] = json.loads((CHECKOUT / "docs" / "receipt.schema.json").read_text(encoding="utf-8"))

TASK = """
    [tasks.double]
    summary = "double a text"
    output = "double:doubled"
    [[tasks.double.steps]]
    name = "double"
    environment = "one"
    command = ["python", "steps/double.py", "{input.text}", "{output.doubled}"]
    inputs = { text = "task:text" }
    outputs = { doubled = "doubled.txt" }
    env = { TIMES = "2" }
"""
DOUBLE = """
    import os, sys
    open(sys.argv[2], "w").write(open(sys.argv[1]).read() * int(os.environ["TIMES"]))
"""


class Project:
    """A project with one task that was done once: its folder, the store, the input, the output and the receipt."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.home = home
        self.folder = folder / "project"
        self.source = folder / "text.txt"
        self.output = folder / "doubled.txt"
        self.receipt = folder / "doubled.txt.receipt.json"

    def envguard(self, *arguments: str | Path) -> Ended:
        return envguard(*arguments, home=self.home, cwd=trusted(self.folder))

    def verify(self, *arguments: str | Path) -> Ended:
        return self.envguard("verify-receipt", self.receipt, *arguments)

    def change(self, file: str, old: str, new: str) -> None:
        path = self.folder / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, home: Path, host: HostFacts) -> Project:
    """The project as the run left it; not to be changed."""
    project = Project(tmp_path_factory.mktemp("done"), home)
    write_project(project.folder, minor_of(host.usable[0]), TASK, {"steps/double.py": DOUBLE})
    project.source.write_text("ab")
    ended = project.envguard("run", "double", project.source, "-o", project.output)
    assert ended.code == 0, ended.err
    return project


@pytest.fixture
def project(tmp_path: Path, done: Project) -> Project:
    """A copy to change."""
    shutil.copytree(done.folder.parent, tmp_path / "copy")
    return Project(tmp_path / "copy", done.home)


def test_a_receipt_follows_its_schema_and_names_no_place_of_this_host(done: Project) -> None:
    text = done.receipt.read_text()
    Draft202012Validator.check_schema(SCHEMA)
    assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(json.loads(text))] == []
    assert str(done.folder.parent) not in text
    assert str(Path.home()) not in text
    assert read_receipt(done.receipt).text() == text


def test_an_untouched_output_matches(project: Project) -> None:
    ended = project.verify()
    assert (ended.code, ended.out.splitlines()[-1]) == (0, "MATCH")
    rebuilt = project.verify("--rebuild", "--json")
    assert rebuilt.code == 0, rebuilt.err
    assert problems(rebuilt.document, "ReceiptDocument") == []
    assert rebuilt.document["verdict"] == "MATCH"
    assert rebuilt.document["rebuilt"]["differences"] == []


@pytest.mark.parametrize("spoil", [lambda path: path.write_text("abaX"), Path.unlink], ids=["changed", "gone"])
def test_a_changed_output_differs(project: Project, spoil: Callable[[Path], object]) -> None:
    spoil(project.output)
    ended = project.verify()
    assert (ended.code, ended.out.splitlines()[-1]) == (1, "DIFF")


def test_a_receipt_that_claims_another_output_differs_when_rebuilt(project: Project) -> None:
    document = json.loads(project.receipt.read_text())
    document["outputs"]["output"]["sha256"] = "0" * 64
    project.receipt.write_text(json.dumps(document))
    ended = project.verify("--rebuild", "--json")
    assert ended.code == 1
    assert ended.document["verdict"] == "DIFF"
    assert ended.document["rebuilt"]["outputs"] == [{"name": "output", "file": "doubled.txt", "state": "diff"}]


@pytest.mark.parametrize(
    ("file", "old", "new", "what"),
    [
        ("steps/double.py", "import os", "import os ", "code of step double"),
        ("envguard.toml", 'TIMES = "2"', 'TIMES = "3"', "the definition of the task"),
    ],
)
def test_another_toolchain_is_named(project: Project, file: str, old: str, new: str, what: str) -> None:
    project.change(file, old, new)
    ended = project.verify("--rebuild", "--json")
    assert ended.code == 1
    assert problems(ended.document, "ReceiptDocument") == []
    assert ended.document["verdict"] == "TOOLCHAIN DIFFERS"
    assert [each["what"] for each in ended.document["rebuilt"]["differences"]] == [what]


def test_another_lock_and_interpreter_are_named(project: Project) -> None:
    for lock in (project.folder / "lockfiles").rglob("*.txt"):
        lock.write_text(lock.read_text().replace("# cut-off: 2026-11-20", "# cut-off: 2026-11-19"))
    document = json.loads(project.receipt.read_text())
    document["environments"][0]["python"] += "1"
    project.receipt.write_text(json.dumps(document))
    ended = project.verify("--rebuild")
    assert (ended.code, ended.out.splitlines()[-1]) == (1, "TOOLCHAIN DIFFERS")
    assert "lock of one: recorded" in ended.out
    assert "python of one: recorded" in ended.out


def test_a_helper_beside_the_script_is_code_too(project: Project) -> None:
    (project.folder / "steps" / "os.py").write_text("")
    ended = project.verify("--rebuild")
    assert "code of step double" in ended.out


def test_what_cannot_be_rebuilt_here_is_told(project: Project) -> None:
    project.source.rename(project.source.with_name("elsewhere.txt"))
    ended = project.verify("--rebuild")
    assert ended.code == 3
    assert "Name the file with --input." in ended.err
    assert project.verify("--rebuild", "--input", project.source.with_name("elsewhere.txt")).code == 0
    wrong = project.verify("--rebuild", "--input", project.output)
    assert wrong.code == 2
    assert "is not an input of this receipt" in wrong.err
    project.change("envguard.toml", "[tasks.double]", "[tasks.treble]")
    project.change("envguard.toml", "tasks.double.steps", "tasks.treble.steps")
    unknown = project.verify("--rebuild")
    assert unknown.code == 3
    assert "There is no task 'double' here" in unknown.err


def test_a_sample_that_there_is_not_is_no_input(project: Project) -> None:
    document = json.loads(project.receipt.read_text())
    document["inputs"]["text"] |= {"from": "sample:none", "sha256": "0" * 64}
    project.receipt.write_text(json.dumps(document))
    ended = project.verify("--rebuild")
    assert ended.code == 3
    assert "The input 'text' of the run is not here." in ended.err


def test_no_receipt_is_left_where_none_is_wanted(project: Project) -> None:
    project.receipt.unlink()
    assert project.envguard("run", "double", project.source, "-o", project.output, "--no-receipt").code == 0
    assert not project.receipt.exists()


def spoilt(document: dict[str, Any], *path: str | int, to: object) -> dict[str, Any]:
    place: Any = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = to
    return document


@pytest.mark.parametrize(
    ("path", "to", "said"),
    [
        (("schema",), 2, "is not 1"),
        (("schema",), None, "whole number"),
        (("outputs",), {}, "at least one file"),
        (("outputs",), [], "must be a table"),
        (("outputs", "output", "file"), "../../../etc/passwd", "without a folder"),
        (("outputs", "output", "file"), "/etc/passwd", "without a folder"),
        (("outputs", "output", "file"), "..", "without a folder"),
        (("outputs", "output", "file"), "a\0b", "without a folder"),
        (("outputs", "output", "sha256"), "x", "SHA-256"),
        (("outputs", "output", "bytes"), 1e999, "whole number"),
        (("outputs", "../x"), {}, "names are made of"),
        (("steps",), 3, "must be an array"),
        (("steps", 0, "inputs"), [1], "must be a table"),
        (("steps", 0, "inputs", "text"), [1], "must be a table"),
        (("steps", 0, "seconds"), "1", "must be a number"),
        (("environments", 0, "edition"), "../x", "a name"),
        (("task", "nam"), "x", "did you mean 'name'"),
        (("options",), {"x": 1}, "must be a table"),
    ],
)  # fmt: skip
def test_a_hostile_receipt_is_refused_by_name(
    done: Project, path: tuple[str | int, ...], to: object, said: str
) -> None:
    document = spoilt(json.loads(done.receipt.read_text()), *path, to=to)
    with pytest.raises(BrokenData) as caught:
        receipt_from(document, "bad.receipt.json")
    assert said in caught.value.what
    assert caught.value.what.startswith("bad.receipt.json")
    if to != 1e999:  # which is no JSON
        assert list(Draft202012Validator(SCHEMA).iter_errors(document))


def test_a_receipt_cut_off_anywhere_is_refused(done: Project, tmp_path: Path) -> None:
    text = done.receipt.read_bytes()
    path = tmp_path / "cut.receipt.json"
    for length in range(0, len(text) - 1, 5):
        path.write_bytes(text[:length])
        with pytest.raises(BrokenData):
            read_receipt(path)


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff", b"null", b"[]", b"[" * 200_000, b" " * (LARGEST_RECEIPT + 1), b'{"schema": 1' + b"0" * 5000 + b"}"],
    ids=["empty", "not UTF-8", "null", "list", "deep", "huge", "huge number"],
)
def test_what_is_no_receipt_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.receipt.json"
    path.write_bytes(content)
    with pytest.raises(BrokenData):
        read_receipt(path)


def test_the_refusal_of_a_receipt_is_one_sentence_and_no_traceback(tmp_path: Path, home: Path) -> None:
    path = tmp_path / "bad.receipt.json"
    path.write_bytes(b"{")
    ended = envguard("verify-receipt", path, "--rebuild", home=home, cwd=tmp_path)
    assert ended.code == 2
    assert ended.err.startswith("envguard: bad.receipt.json cannot be read as a receipt.")
    assert "Traceback" not in ended.err
