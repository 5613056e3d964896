"""A cure's commands name what the log names, and nothing that a log says is ever more than a word of a command."""

from __future__ import annotations

import io
import shlex

import pytest

from envguard.doctor.diagnosing import Hint, diagnose
from envguard.doctor.rules import read_rules

RULES = read_rules(
    """
schema = 1
[[rules]]
id = "one"
applies_to = ["pip"]
literals = ["boom"]
pattern = 'boom ?(?P<what>[^\\n]{0,99})'
cause = "boom"
cure = "none"
commands = ["{python} -m pip install {what}", "true"]
reproduced = true
""",
    source="a test",
)


def hint(log: str) -> Hint:
    (found,) = diagnose(io.BytesIO(log.encode()), RULES).hints
    return found


@pytest.mark.parametrize(
    ("log", "python"),
    [
        ("boom six", "python"),
        ("/home/user/venv/bin/python3.11: boom six", "/home/user/venv/bin/python3.11"),
        ('  File "/home/a b/venv/lib/python3.11/site-packages/x.py", line 1\nboom six', "'/home/a b/venv/bin/python'"),
        ("/usr/lib/python3/dist-packages/x.py:1: boom six", "/usr/bin/python"),
        ("/one/bin/python\n/two/bin/python\nboom six", "/two/bin/python"),
        ("/one/bin/python-config boom six", "python"),
    ],
)
def test_a_command_names_the_python_that_the_log_tells_of(log: str, python: str) -> None:
    assert hint(log).commands == (f"{python} -m pip install six", "true")


@pytest.mark.parametrize("name", ["$(touch here)", "; rm -rf ~", "`id`", "a b", "~equests"])
def test_whatever_a_log_says_is_one_word_of_a_command(name: str) -> None:
    assert shlex.split(hint(f"boom {name}").commands[0])[-1] == name


@pytest.mark.parametrize("name", ["", "--index-url=x"])
def test_there_is_no_command_where_a_name_is_missing_or_would_be_an_option(name: str) -> None:
    assert hint(f"boom {name}").commands == ()


def test_commands_are_in_the_document() -> None:
    assert hint("boom six").as_json()["commands"] == ["python -m pip install six", "true"]
