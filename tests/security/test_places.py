"""Output goes only where a file may be: not onto a device, a pipe, a socket or another user's file, linked or not."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from envguard.errors import BadInput, BrokenData
from envguard.files import appearing_whole, check_place, write_record
from envguard.locks.proofs import read_proofs
from tests.support.command import envguard
from tests.support.projects import write_project
from tests.support.tiny import PYTHON

TASKS = """
    [tasks.copy]
    summary = "Copies a file"
    output = "copy:copied"
    reports = { page = "page:made" }

    [[tasks.copy.steps]]
    name = "copy"
    environment = "one"
    command = ["python", "copy.py", "{input.source}", "{output.copied}"]
    inputs = { source = "task:source" }
    outputs = { copied = "copied.txt" }

    [[tasks.copy.steps]]
    name = "page"
    environment = "one"
    command = ["python", "copy.py", "{input.source}", "{output.made}"]
    inputs = { source = "copy:copied" }
    outputs = { made = "page.txt" }

    [tasks.twice]
    summary = "Copies a file twice"
    outputs = { first = "copy:first", second = "copy:second" }

    [[tasks.twice.steps]]
    name = "copy"
    environment = "one"
    command = ["python", "copy.py", "{input.source}", "{output.first}", "{output.second}"]
    inputs = { source = "task:source" }
    outputs = { first = "first.txt", second = "second.txt" }
"""
COPY = """
    import shutil, sys
    for target in sys.argv[2:]:
        shutil.copyfile(sys.argv[1], target)
"""


def device(path: Path) -> None:
    """A device like the null device, or where only root may make one, a link to that."""
    try:
        os.mknod(path, 0o666 | 0o020000, os.makedev(1, 3))
    except PermissionError:
        path.symlink_to("/dev/null")


def bound_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        here = Path.cwd()
        os.chdir(path.parent)  # the path of a socket may have no more than a hundred characters
        try:
            made.bind(path.name)
        finally:
            os.chdir(here)


def file_of_another_user(path: Path) -> None:
    path.write_text("another user's\n")
    try:
        os.chown(path, 12345, -1)
    except PermissionError:
        path.unlink()
        path.symlink_to("/etc/passwd")


KINDS: dict[str, tuple[Callable[[Path], None], str]] = {
    "device": (device, "is a device"),
    "pipe": (os.mkfifo, "is a pipe"),
    "socket": (bound_socket, "is a socket"),
    "foreign": (file_of_another_user, "belongs to another user"),
}


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str]:
    """A path that no output may go to, and what is said of it."""
    make, said = KINDS[request.param]
    path = tmp_path / request.param
    make(path)
    return path, said


def facts(path: Path) -> tuple[int, int, int]:
    found = path.lstat()
    return found.st_ino, found.st_mode, found.st_uid


def test_a_place_is_refused_itself_and_through_links(place: tuple[Path, str], tmp_path: Path) -> None:
    path, said = place
    link, second = tmp_path / "link", tmp_path / "second"
    link.symlink_to(path.name)
    second.symlink_to(link)
    for each in (path, link, second):
        with pytest.raises(BadInput, match=said):
            check_place(each)


def test_what_writes_files_refuses_by_itself_what_is_no_file(tmp_path: Path) -> None:
    for name, make in (("device", device), ("pipe", os.mkfifo), ("socket", bound_socket)):
        path, link = tmp_path / name, tmp_path / f"{name}-link"
        make(path)
        link.symlink_to(path)
        before = facts(path), facts(link)
        for each in (path, link):
            with pytest.raises(OSError, match="no file may replace"), appearing_whole(each):
                raise AssertionError("it was opened")
        assert (facts(path), facts(link)) == before


def test_ordinary_places_are_taken(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("old")
    (tmp_path / "link").symlink_to("old")
    (tmp_path / "dangling").symlink_to("nowhere")
    for name in ("new", "old", "link", "dangling"):
        check_place(tmp_path / name)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="this system has none of these folders")
@pytest.mark.parametrize("path", ["/dev/envguard-output", "/proc/self/out", "/sys/out", "/dev/stdout", "/dev/fd/9"])
def test_nothing_is_written_among_the_files_of_the_system(path: str) -> None:
    with pytest.raises(BadInput):
        check_place(Path(path))


def test_a_link_of_another_user_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "own").write_text("own")
    (tmp_path / "link").symlink_to("own")
    try:
        os.chown(tmp_path / "link", 12345, -1, follow_symlinks=False)
    except PermissionError:
        pytest.skip("giving a link away needs root")
    with pytest.raises(BadInput, match="belongs to another user"):
        check_place(tmp_path / "link")


def test_every_command_refuses_such_a_place_before_anything_runs(place: tuple[Path, str], tmp_path: Path) -> None:
    path, said = place
    project = write_project(tmp_path / "project", PYTHON, TASKS, {"copy.py": COPY})
    source = tmp_path / "in.txt"
    source.write_text("in")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "second.txt").symlink_to(path)
    beside = tmp_path / "out"
    beside.with_name("out.receipt.json").symlink_to(path)
    run, install = ("run", "copy", source), ("--install", "true")
    commands: tuple[tuple[str | Path, ...], ...] = (
        (*run, "-o", path),
        (*run, "-o", beside),  # its receipt would go there
        (*run, "-o", tmp_path / "good", "--report", f"page={path}"),
        ("run", "twice", source, "-o", folder),
        ("export", "one", "--format", "requirements", "--output", path),
        ("ci", "github", "copy", "copy.py", "-o", path, "--force", *install),
        ("ci", "gitlab", "copy", "copy.py", "-o", path, "--force", *install),
        ("report-bug", "--output", path),
        ("image", "save", "one", "-o", path),
        ("image", "export", "one", "--dockerfile", path),
        ("export", "one", "--format", "wheelhouse", "-o", path),
    )
    before = facts(path)
    for command in commands:
        home = tmp_path / "home"
        ended = envguard(*command, home=home, cwd=project)
        assert (ended.code, said in ended.err) == (2, True), (command, ended)
        assert not (home / "environments").exists(), command
        assert facts(path) == before, command


def test_the_commands_for_models_refuse_such_a_place_before_anything_runs(
    place: tuple[Path, str], tmp_path: Path
) -> None:
    path, said = place
    for command in (
        ("run", "quantize", "sample:face_landmarker", "-o", path),
        ("run", "quantize", "sample:face_landmarker", "-o", tmp_path / "out.task", "--report", path),
        ("run", "convert", "no.keras", "-o", path),
        ("run", "tune", "sample:face_landmarker", "-o", path),
        ("run", "tune", "sample:face_landmarker", "--report", path),
    ):
        before = facts(path)
        ended = envguard(*command, home=tmp_path / "home", cwd=tmp_path)
        assert (ended.code, said in ended.err) == (2, True), (command, ended)
        assert not (tmp_path / "home" / "environments").exists(), command
        assert facts(path) == before, command


def test_a_projects_own_files_are_not_written_onto_such_a_place_either(tmp_path: Path) -> None:
    for name, make in (("device", device), ("pipe", os.mkfifo), ("socket", bound_socket)):
        path = tmp_path / name
        make(path)
        before = facts(path)
        with pytest.raises(BadInput, match="cannot be written"):
            write_record(path, b"a lock")
        assert facts(path) == before
        with pytest.raises(BrokenData, match="proofs"):
            read_proofs(path)
    write_record(tmp_path / "new" / "folder" / "lock", b"a lock")
    assert (tmp_path / "new" / "folder" / "lock").read_bytes() == b"a lock"
