"""A receipt in which anything was changed is no match, and a step's code is all that the step can import."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import py_compile
import shutil
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from envguard.catalog.model import CommandStep
from envguard.errors import BadInput
from envguard.running.code_digest import code_digest
from tests.support.command import Ended, envguard
from tests.support.projects import write_project
from tests.support.tiny import PYTHON

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

Change = Callable[[dict[str, Any]], object]
CHANGES: dict[str, Change] = {
    "command": lambda told: told["steps"][0]["command"].append("--really"),
    "env": lambda told: told["steps"][0]["env"].update(TIMES="3"),
    "another variable": lambda told: told["steps"][0]["env"].update(LD_PRELOAD="/x"),
    "options": lambda told: told["options"].update(double={"command": ["python", "-c", "0"]}),
    "bytes of the output": lambda told: told["outputs"]["output"].update(bytes=5),
    "bytes of the input": lambda told: told["inputs"]["text"].update(bytes=5),
    "bytes of a step's output": lambda told: told["steps"][0]["outputs"]["doubled"][0].update(bytes=10**30),
    "environment of a step": lambda told: told["steps"][0].update(environment="two"),
}
UNSEEN: dict[str, Change] = {
    "seconds": lambda told: told["steps"][0].update(seconds=0),
    "date": lambda told: told.update(date="2026-01-01T00:00:00Z"),
    "version": lambda told: told.update(envguard="9"),
    "no seal": lambda told: told.pop("seal"),
    "another seal": lambda told: told.update(seal="0" * 64),
}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a project, a store, and what a run left."""
    folder = tmp_path_factory.mktemp("done")
    project = write_project(folder / "project", PYTHON, TASK, {"steps/double.py": DOUBLE})
    (folder / "text").write_text("ab")
    ended = envguard("run", "double", folder / "text", "-o", folder / "out", home=folder / "home", cwd=project)
    assert ended.code == 0, ended
    return folder


def verified(done: Path, receipt: Path, *options: str) -> Ended:
    return envguard("verify-receipt", receipt, *options, "--json", home=done / "home", cwd=done / "project")


def changed(done: Path, folder: Path, change: Change, *, seal: bool) -> Path:
    """A receipt with a change, beside the files of the run; sealed anew by someone who knows how."""
    for name in ("out", "text"):
        shutil.copy(done / name, folder)
    told = json.loads((done / "out.receipt.json").read_text())
    change(told)
    if seal:
        told.pop("seal", None)
        told["seal"] = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
    receipt = folder / "out.receipt.json"
    receipt.write_text(json.dumps(told, indent=4))
    return receipt


def test_a_receipt_is_as_true_however_it_is_laid_out(done: Path, tmp_path: Path) -> None:
    receipt = changed(done, tmp_path, lambda told: told, seal=False)
    for options in ((), ("--rebuild",)):
        ended = verified(done, receipt, *options)
        assert (ended.code, ended.document["verdict"], ended.document["intact"]) == (0, "MATCH", True), ended


@pytest.mark.parametrize("name", CHANGES | UNSEEN)
def test_a_changed_receipt_is_no_match(done: Path, tmp_path: Path, name: str) -> None:
    receipt = changed(done, tmp_path, (CHANGES | UNSEEN)[name], seal=False)
    ended = verified(done, receipt)
    assert (ended.code, ended.document["verdict"], ended.document["intact"]) == (1, "DIFF", False), ended


@pytest.mark.parametrize("name", CHANGES)
def test_doing_it_again_finds_what_a_new_seal_hides(done: Path, tmp_path: Path, name: str) -> None:
    receipt = changed(done, tmp_path, CHANGES[name], seal=True)
    ended = verified(done, receipt, "--rebuild", "--input", str(done / "text"))
    assert ended.document["intact"]
    assert (ended.code, ended.document["verdict"]) == (1, "DIFF"), ended


def write(path: Path, content: bytes = b"1") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def unchecked(path: Path) -> None:
    """Bytecode of another source, which Python loads without looking at the source that is there."""
    path.with_name("other.py").write_text("evil = 1\n")
    target = importlib.util.cache_from_source(str(path))
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(str(path.with_name("other.py")), target, invalidation_mode=mode)
    path.with_name("other.py").unlink()


SUFFIX = sysconfig.get_config_var("EXT_SUFFIX")
IN_ANY_FOLDER: dict[str, Callable[[Path], None]] = {
    "a module": lambda folder: write(folder / "helper.py"),
    "a compiled module": lambda folder: write(folder / f"fast{SUFFIX}"),
    "a library for Windows": lambda folder: write(folder / "fast.pyd"),
    "bytecode without source": lambda folder: write(folder / "helper2.pyc"),
    "a module in a folder": lambda folder: write(folder / "inner" / "x.py"),
    "a compiled module in a folder": lambda folder: write(folder / "inner" / "x.abi3.so"),
    "data of a package": lambda folder: write(folder / "package" / "table.csv"),
    "data in a folder of a package": lambda folder: write(folder / "package" / "more-data" / "table"),
    "a linked folder": lambda folder: write(folder.parent / "shared" / "x.py"),
    "bytecode that nobody compares": lambda folder: unchecked(folder / "helper.py"),
}


def project_with(folder: Path, script: str) -> tuple[CommandStep, Path]:
    """A project whose step runs a script, with a package and a linked folder beside it; the step and that folder."""
    project = folder / "project"
    code = (project / script).parent
    for name in (script, "envguard.toml"):
        write(project / name)
    write(code / "package" / "__init__.py")
    write(code / "helper.py", b"good = 1\n")
    (code.parent / "shared").mkdir(exist_ok=True)
    (code / "linked").symlink_to(code.parent / "shared")
    (code / "linked" / "back").symlink_to(code)
    return CommandStep(name="s", environment="e", inputs={}, command=("python", script)), code


@pytest.mark.parametrize("script", ["run.py", "steps/run.py"])
@pytest.mark.parametrize("name", IN_ANY_FOLDER)
def test_whatever_can_be_imported_is_code(tmp_path: Path, script: str, name: str) -> None:
    step, folder = project_with(tmp_path, script)
    before = code_digest(step, tmp_path / "project")
    assert before == code_digest(step, tmp_path / "project")
    IN_ANY_FOLDER[name](folder)
    assert code_digest(step, tmp_path / "project") != before


def test_a_changed_compiled_module_is_other_code(tmp_path: Path) -> None:
    step, folder = project_with(tmp_path, "run.py")
    write(folder / f"fast{SUFFIX}", b"built")
    before = code_digest(step, tmp_path / "project")
    write(folder / f"fast{SUFFIX}", b"rebuilt")
    assert code_digest(step, tmp_path / "project") != before


def test_data_beside_a_script_in_a_folder_of_its_own_is_code(tmp_path: Path) -> None:
    step, folder = project_with(tmp_path, "steps/run.py")
    before = code_digest(step, tmp_path / "project")
    write(folder / "table.csv")
    assert code_digest(step, tmp_path / "project") != before


def test_what_is_no_code_changes_nothing(tmp_path: Path) -> None:
    step, folder = project_with(tmp_path, "run.py")
    before = code_digest(step, tmp_path / "project")
    for name in ("in.txt", "out.receipt.json", "README.md", ".git/x.py", ".hidden", "data/table.csv"):
        write(folder / name)
    write(folder / "venv" / "pyvenv.cfg")
    write(folder / "venv" / "x.py")
    py_compile.compile(str(folder / "helper.py"))  # compared with its source by time
    assert code_digest(step, tmp_path / "project") == before


def test_code_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    step, folder = project_with(tmp_path, "run.py")
    write(folder / "helper.py")
    (folder / "helper.py").unlink()
    shutil.copytree(folder / "package", folder / "other")
    before = code_digest(step, tmp_path / "project")
    (folder / b"caf\xe9.py".decode("utf-8", "surrogateescape")).write_bytes(b"1")
    assert code_digest(step, tmp_path / "project") != before, "a name that is not UTF-8 is a name too"
    step = CommandStep(name="s", environment="e", inputs={}, command=("python", "gone.py"))
    with pytest.raises(BadInput, match="cannot be read"):
        code_digest(step, tmp_path / "project")
