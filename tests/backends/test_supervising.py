"""A supervised command behaves as if the user had started it himself."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.waiting import wait_until_gone

SUPERVISE = """
import os, sys
sys.path.insert(0, sys.argv[1])
from envguard.backends.supervising import supervise
sys.exit(supervise(sys.argv[2:], os.environ))
"""
CHECKOUT = str(Path(__file__).parents[2])

# Says that it is ready, counts its SIGINTs, and ends on SIGTERM with 7 unless told to be stubborn.
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
    return [sys.executable, "-I", "-c", SUPERVISE, CHECKOUT, *arguments]


def started(*arguments: str) -> tuple[subprocess.Popen[str], int]:
    """A supervised child that is ready, and its process id."""
    process = subprocess.Popen(
        command(sys.executable, "-I", "-c", CHILD, *arguments),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    return process, int(process.stdout.readline().split()[1])


@pytest.mark.parametrize("code", [0, 1, 2, 3, 42, 126, 127, 128, 130, 255])
def test_every_exit_code_passes_through(code: int) -> None:
    assert subprocess.run(command("/bin/sh", "-c", f"exit {code}")).returncode == code


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM, signal.SIGABRT])
def test_a_signal_that_ends_the_command_is_128_and_its_number(number: signal.Signals) -> None:
    assert subprocess.run(command("/bin/sh", "-c", f"kill -{int(number)} $$")).returncode == 128 + number


def test_a_command_that_is_not_there_is_127_and_one_that_cannot_run_126(tmp_path: Path) -> None:
    missing = subprocess.run(command("no-such-command-here"), capture_output=True, text=True)
    assert (missing.returncode, missing.stderr.startswith("envguard: ")) == (127, True)
    (tmp_path / "text").write_text("text")
    assert subprocess.run(command(str(tmp_path / "text")), capture_output=True).returncode == 126


def test_sigint_from_another_process_is_handed_on_once() -> None:
    process, _ = started()
    process.send_signal(signal.SIGINT)
    assert process.stdout is not None
    assert process.stdout.readline() == "INT\n"
    process.send_signal(signal.SIGTERM)
    assert process.communicate()[0] == "count 1\n"
    assert process.returncode == 7


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


@pytest.mark.slow
def test_a_stubborn_command_is_killed_after_the_grace_period() -> None:
    process, child = started("stubborn")
    process.send_signal(signal.SIGTERM)
    process.communicate()
    assert process.returncode == 128 + signal.SIGKILL
    wait_until_gone([child])


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems have no parent death signal")
def test_no_orphan_is_left_when_envguard_is_killed() -> None:
    process, child = started()
    process.kill()
    process.communicate()
    wait_until_gone([child])
