"""What a process started ends with it, and a group that has ended is no error."""

from __future__ import annotations

import signal
import subprocess
import sys

from envguard.system.groups import FLAGS, Group

PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-I", "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""


def started(source: str) -> tuple[subprocess.Popen[bytes], Group]:
    process = subprocess.Popen(
        [sys.executable, "-I", "-c", source], stdout=subprocess.PIPE, start_new_session=True, creationflags=FLAGS
    )
    return process, Group(process)


def test_a_grandchild_ends_with_its_group() -> None:
    process, group = started(PARENT)
    assert process.stdout is not None
    int(process.stdout.readline())
    group.kill()
    # Both hold the pipe's other end, so that it ends when the last of them has ended.
    assert process.stdout.read() == b""
    assert process.wait() != 0
    group.close()
    process.stdout.close()


def test_a_group_that_nobody_is_left_in_can_be_ended_again() -> None:
    process, group = started("print(1)")
    assert process.stdout is not None
    process.stdout.read()  # it has closed its output, and is a zombie or about to be one
    group.ask(signal.SIGTERM)
    group.kill()
    process.wait()
    group.kill()
    group.close()
    process.stdout.close()
