"""A store that is only to be read serves those who run what is in it; scratch and logs go to a place of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command import Ended, envguard
from tests.support.projects import write_project
from tests.support.tiny import PYTHON

TASK = """
    [tasks.copy]
    summary = "Copies a file"
    output = "copy:copied"
    [[tasks.copy.steps]]
    name = "copy"
    environment = "one"
    command = ["python", "copy.py", "{input.source}", "{output.copied}"]
    inputs = { source = "task:source" }
    outputs = { copied = "copied.txt" }
"""
COPY = "import shutil, sys; shutil.copyfile(sys.argv[1], sys.argv[2])"


class Shared:
    """A project whose store is only to be read, and a folder for temporary files."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder = folder
        self.home = home
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        self.project = write_project(folder / "project", PYTHON, TASK, {"copy.py": COPY})

    def envguard(self, *arguments: str | Path) -> Ended:
        return envguard(*arguments, home=self.home, cwd=self.project, TMPDIR=str(self.temporary))


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Shared]:
    """On a file system that is mounted read-only once the environment `one` is ready; needs root."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root can mount a disk of its own: this is NOT tested here")
    disk = tmp_path / "disk"
    disk.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m,mode=755", "tmpfs", disk], capture_output=True)
    if made.returncode != 0:
        pytest.skip("this system mounts no small disk: this is NOT tested here")
    try:
        shared = Shared(tmp_path, disk)
        ended = shared.envguard("create", "one")
        assert ended.code == 0, ended
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        yield shared
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


def test_what_is_ready_there_can_be_used(shared: Shared, tmp_path: Path) -> None:
    for _ in range(2):  # the second start would be a warm one if it could be recorded
        ended = shared.envguard("exec", "one", "--", "python", "-c", "print(1)")
        assert (ended.code, ended.out, ended.err) == (0, "1\n", "")
    ended = shared.envguard("run", "copy", "copy.py", "-o", tmp_path / "out")
    assert (ended.code, (tmp_path / "out").read_text()) == (0, COPY), ended
    assert shared.envguard("verify-receipt", tmp_path / "out.receipt.json").code == 0
    assert shared.envguard("store", "verify").code == 0
    assert shared.envguard("create", "one").code == 0
    (own,) = shared.temporary.iterdir()
    assert own.stat().st_mode & 0o777 == 0o700
    assert list((own / "runs").iterdir()) == []


def test_what_is_not_ready_there_cannot_be_built(shared: Shared) -> None:
    ended = shared.envguard("create", "two")
    assert ended.code == 3, ended
    assert "Read-only file system" in ended.err
    assert "ENVGUARD_HOME" in ended.err
    assert "itself failed" not in ended.err


def test_a_place_that_others_can_write_to_is_not_used(shared: Shared, tmp_path: Path) -> None:
    place = shared.temporary / f"envguard-{os.geteuid()}"
    place.mkdir()
    place.chmod(0o777)
    ended = shared.envguard("run", "copy", "copy.py", "-o", tmp_path / "out")
    assert (ended.code, "TMPDIR" in ended.err) == (2, True), ended
