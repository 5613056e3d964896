"""A command that envguard becomes is the one that the user would have started: its signals and its end are its own."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

BECOME = """
import os, sys
sys.path.insert(0, sys.argv[1])
from envguard.backends.becoming import become
print("said before")
sys.exit(become(sys.argv[2:], os.environ, keep=[0]))
"""
CHECKOUT = str(Path(__file__).parents[2])

# Says that it is ready, counts its SIGINTs, and ends on SIGTERM with 7.
CHILD = """
import os, signal, sys, time
count = 0
def interrupted(*_):
    global count
    count += 1
    os.write(1, b"INT\\n")
def terminated(*_):
    if "stubborn" not in sys.argv:
        os.write(1, b"count %d\\n" % count)
        os._exit(7)
signal.signal(signal.SIGINT, interrupted)
signal.signal(signal.SIGTERM, terminated)
os.write(1, b"ready %d\\n" % os.getpid())  # print() may not be entered again by a handler
while True:
    time.sleep(0.05)
"""


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-I", "-c", BECOME, CHECKOUT, *arguments]


@pytest.mark.parametrize("code", [0, 1, 2, 3, 42, 126, 127, 128, 130, 255])
def test_every_exit_code_passes_through(code: int) -> None:
    assert subprocess.run(command("/bin/sh", "-c", f"exit {code}")).returncode == code


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM, signal.SIGABRT])
def test_a_signal_that_ends_the_command_is_what_its_caller_sees(number: signal.Signals) -> None:
    assert subprocess.run(command("/bin/sh", "-c", f"kill -{int(number)} $$")).returncode == -number


def test_the_command_is_the_process_that_was_started_and_what_was_said_before_is_not_lost() -> None:
    with subprocess.Popen(command("/bin/sh", "-c", "echo $$"), stdout=subprocess.PIPE, text=True) as process:
        assert process.communicate()[0] == f"said before\n{process.pid}\n"


@pytest.mark.parametrize("number", [signal.SIGPIPE, signal.SIGXFSZ])
def test_what_python_ignores_ends_the_command_as_it_would_without_python(number: signal.Signals) -> None:
    assert subprocess.run(command("/bin/sh", "-c", f"kill -{int(number)} $$; echo survived")).returncode == -number


def test_a_command_that_is_not_there_is_127_and_one_that_cannot_run_126(tmp_path: Path) -> None:
    missing = subprocess.run(command("no-such-command-here"), capture_output=True, text=True)
    assert (missing.returncode, missing.stderr.startswith("envguard: ")) == (127, True)
    (tmp_path / "text").write_text("text")
    assert subprocess.run(command(str(tmp_path / "text")), capture_output=True).returncode == 126


def test_ctrl_c_in_a_terminal_reaches_the_command_exactly_once() -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, command(sys.executable, "-I", "-c", CHILD))
    said = b""
    while b"ready" not in said:
        said += os.read(terminal, 1000)
    os.write(terminal, b"\x03")
    while b"INT" not in said:
        said += os.read(terminal, 1000)
    os.kill(pid, signal.SIGTERM)  # comes after any SIGINT that envguard has not handed on yet
    _, status = os.waitpid(pid, 0)
    try:
        while rest := os.read(terminal, 1000):
            said += rest
    except OSError:
        pass
    assert os.waitstatus_to_exitcode(status) == 7
    assert b"count 1" in said
