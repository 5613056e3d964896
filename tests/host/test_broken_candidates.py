"""Whatever is named python and is none becomes a row with its reason, and nothing else."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from envguard.host.discovery import examine
from envguard.host.interpreters import BrokenInterpreter, ProbeProblem
from envguard.host.locations import PossibleInterpreter
from tests.support.pythons import MakeProgram, on_path, pyenv_python, running_python

TO_START = 3.0
"""Seconds in which a shell has started and done something, also where much else goes on."""


def only_broken(found: list[PossibleInterpreter], environ: dict[str, str], timeout: float = 5.0) -> BrokenInterpreter:
    facts = examine(found, environ, cache=None, timeout=timeout)
    assert facts.interpreters == ()
    (candidate,) = facts.broken
    return candidate


@pytest.mark.parametrize(
    ("content", "problem", "words"),
    [
        ("#!/bin/sh\necho 'pyenv: command not found' >&2\nexit 127\n", "exit", "exit code 127 (pyenv: command"),
        ("#!/bin/sh\nkill -SEGV $$\n", "signal", "SIGSEGV"),
        ("#!/bin/sh\necho hello\n", "junk", "(hello)"),
        ("#!/bin/sh\n", "junk", "did not answer"),
        ("#!/bin/echo\n", "junk", "did not answer"),
        ("#!/bin/sh\nhead -c 100000000 /dev/zero\n", "flood", "printed far more"),
        ("#!/bin/sh\nexec yes >&2\n", "flood", "printed far more"),
        ("#!/no/such/program\n", "not a program", "first line"),
        ("", "not a program", "cannot start it"),
        ("\x7fELF\x02\x01\x01 and then nothing of use", "not a program", "cannot start it"),
        ("#!/bin/sh\necho \"No module named 'json'\"\nexit 1\n", "incomplete", "lacks json"),
        ("#!/bin/sh\nprintf 'x\\033[2Jy' >&2\nexit 3\n", "exit", "(x\\x1b[2Jy)"),
    ],
)
def test_a_program_that_is_no_python_is_told_by_what_it_does(
    make_program: MakeProgram, environ: dict[str, str], content: str, problem: ProbeProblem, words: str
) -> None:
    broken = only_broken(on_path(make_program("python3", content)), environ)
    assert broken.problem == problem
    assert words in broken.reason
    assert broken.reason.isprintable()


@pytest.mark.parametrize(
    "content",
    [
        "#!/bin/sh\nexec sleep 60\n",
        "#!/bin/sh\nsleep 60\n",
        "#!/bin/sh\nexec >&- 2>&-\nsleep 60\n",
    ],
    ids=["itself", "child", "with-its-output-closed"],
)
def test_a_program_that_hangs_is_given_up(make_program: MakeProgram, environ: dict[str, str], content: str) -> None:
    broken = only_broken(on_path(make_program("python3", content)), environ, timeout=0.5)
    assert broken.problem == "hang"
    assert "0.5 seconds" in broken.reason


@pytest.mark.parametrize("start", ["", "setsid"], ids=["same-session", "session-of-its-own"])
def test_a_program_that_leaves_a_child_holding_its_output_is_given_up(
    make_program: MakeProgram, environ: dict[str, str], start: str
) -> None:
    program = make_program("python3", f"#!/bin/sh\n{start} sleep 10 &\nexit 0\n")
    assert only_broken(on_path(program), environ, timeout=TO_START).problem == "junk"


def test_a_hanging_program_is_killed_with_its_children(
    make_program: MakeProgram, environ: dict[str, str], tmp_path: Path
) -> None:
    process_id = tmp_path / "id"
    program = make_program("python3", f"#!/bin/sh\nsleep 60 &\necho $! > '{process_id}'\nwait\n")
    only_broken(on_path(program), environ, timeout=TO_START)
    status = Path("/proc", process_id.read_text().strip(), "status")
    assert not status.exists() or "State:\tZ" in status.read_text()


def test_files_that_cannot_be_started_say_so_without_being_started(tmp_path: Path, environ: dict[str, str]) -> None:
    dangling = tmp_path / "python3.1"
    dangling.symlink_to(tmp_path / "gone\nfor good")
    loop = tmp_path / "python3.2"
    loop.symlink_to(loop)
    folder = tmp_path / "python3.3"
    folder.mkdir()
    plain = tmp_path / "python3.4"
    plain.write_text("#!/bin/sh\n")
    facts = examine(on_path(dangling, loop, folder, plain), environ, cache=None)
    assert [candidate.problem for candidate in facts.broken] == [
        "dangling link",
        "link loop",
        "folder",
        "not executable",
    ]
    assert "gone\\nfor good, which does not exist" in facts.broken[0].reason


def test_an_echo_of_the_question_is_not_an_answer(make_program: MakeProgram, environ: dict[str, str]) -> None:
    echo = make_program("python3", '#!/bin/sh\nprintf "%s" "$@"\n')
    assert only_broken(on_path(echo), environ).problem == "junk"


def test_an_answer_of_another_shape_is_junk(make_program: MakeProgram, environ: dict[str, str]) -> None:
    begin_json_end = '#!/bin/sh\nshift 4\nprintf \'%s{"version": 3}%s\' "$@"\n'
    assert only_broken(on_path(make_program("python3", begin_json_end)), environ).problem == "junk"


def test_twenty_broken_candidates_do_not_hide_a_good_one(make_program: MakeProgram, environ: dict[str, str]) -> None:
    hanging = [make_program(f"python3.{minor}", "#!/bin/sh\nsleep 60\n") for minor in range(20)]
    facts = examine(on_path(*hanging, running_python()), environ, cache=None)
    assert {candidate.problem for candidate in facts.broken} == {"hang"}
    assert len(facts.broken) == 20
    (interpreter,) = facts.interpreters
    assert interpreter.usable


def test_a_virtual_environment_without_its_base_is_named_as_such(tmp_path: Path, environ: dict[str, str]) -> None:
    python = tmp_path / "env/bin/python"
    python.parent.mkdir(parents=True)
    python.symlink_to(tmp_path / "removed/python3.11")
    (tmp_path / "env/pyvenv.cfg").write_text(f"home = {tmp_path}/removed\n")
    broken = only_broken(on_path(python), environ)
    assert broken.problem == "no base"
    assert "recreate the environment" in broken.reason


def test_an_interpreter_whose_library_is_not_found_says_which(tmp_path: Path, environ: dict[str, str]) -> None:
    """What happens to Pythons that only run with LD_LIBRARY_PATH; steps never see that variable."""
    source = pyenv_python("3.11")
    linked = subprocess.run(["ldd", source], check=True, capture_output=True, text=True).stdout
    if "libpython" not in linked:
        pytest.skip("this Python needs no shared library of its own")
    program = tmp_path / "python3.11"
    library = b"libpython3.11.so.1.0"
    program.write_bytes(source.read_bytes().replace(library, b"libpython3.11.so.9.9"))
    program.chmod(0o755)
    broken = only_broken(on_path(program), environ)
    assert broken.problem == "missing library"
    assert "libpython3.11.so.9.9" in broken.reason
