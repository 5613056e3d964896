"""Tags and markers worked out from a remembered answer are those that the interpreter itself would give."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from pathlib import Path
from typing import Any

import packaging
import pytest
from packaging.tags import Tag, parse_tag

from envguard.host.discovery import examine
from envguard.host.interpreters import Interpreter
from envguard.host.platform import marker_environment, supported_tags
from tests.support.pythons import on_path, pyenv_python, running_python

ASK = """
import json, sys
sys.path.insert(0, sys.argv[1])
from packaging import markers, tags
print(json.dumps({"tags": [str(tag) for tag in tags.sys_tags()], "markers": dict(markers.default_environment())}))
"""


def interpreter_of(path: Path, environ: dict[str, str]) -> Interpreter:
    (interpreter,) = examine(on_path(path), environ, cache=None).interpreters
    return interpreter


def different(interpreter: Interpreter, **facts: Any) -> Interpreter:
    """The same interpreter with other facts; for kinds that this host does not have."""
    return dataclasses.replace(interpreter, facts=dataclasses.replace(interpreter.facts, **facts))


@pytest.fixture
def here(environ: dict[str, str]) -> Interpreter:
    return interpreter_of(running_python(), environ)


@pytest.mark.parametrize("minor", ["3.9", "3.10", "3.11", "3.12", "3.13"])
def test_tags_and_markers_are_what_packaging_says_inside(environ: dict[str, str], minor: str) -> None:
    python = pyenv_python(minor)
    library = str(Path(packaging.__file__).parent.parent)
    answer = subprocess.run([python, "-I", "-c", ASK, library], capture_output=True, text=True, check=False)
    if answer.returncode:
        pytest.skip(f"this packaging does not run on Python {minor}: {answer.stderr[-200:]}")
    inside = json.loads(answer.stdout)
    interpreter = interpreter_of(python, environ)
    assert [str(tag) for tag in supported_tags(interpreter)] == list(dict.fromkeys(inside["tags"]))
    assert marker_environment(interpreter) == inside["markers"]


def test_a_free_threaded_python_takes_only_wheels_made_for_it(here: Interpreter) -> None:
    tags = supported_tags(different(here, version=here.version._replace(minor=13), free_threaded=True))
    assert tags[0].abi == "cp313t"
    assert "abi3" not in {tag.abi for tag in tags}


def test_a_debug_build_takes_release_wheels_too(here: Interpreter) -> None:
    tags = supported_tags(different(here, version=here.version._replace(minor=12), debug=True))
    assert list(dict.fromkeys(tag.abi for tag in tags))[:2] == ["cp312d", "cp312"]


def test_pypy_has_its_own_tags(here: Interpreter) -> None:
    facts = {"implementation": "pypy", "version": here.version._replace(minor=10), "soabi": "pypy310-pp73-x86_64"}
    tags = supported_tags(different(here, **facts))
    assert (tags[0].interpreter, tags[0].abi) == ("pp310", "pypy310_pp73")
    assert not any(tag.interpreter.startswith("cp") for tag in tags)
    assert Tag("py3", "none", "any") in tags


def test_an_interpreter_on_another_c_library_takes_no_wheels_of_ours(here: Interpreter) -> None:
    if here.facts.libc is None or here.facts.libc[0] != "glibc":
        pytest.skip("this host has no glibc")
    tags = set(supported_tags(different(here, libc=("musl", ""))))
    assert not tags & parse_tag("py3-none-manylinux_2_17_x86_64")
    assert Tag("py3", "none", "any") in tags
