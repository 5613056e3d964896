"""An environment is ready or it does not exist."""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from envguard.errors import NoEnvironment
from envguard.layout import Layout
from envguard.store.environments import read_ready
from envguard.store.fingerprint import MARKER
from envguard.store.home import environments_folder
from tests.support.built import IDENTITY, Builder
from tests.support.waiting import wait_until


@pytest.fixture
def builder() -> Builder:
    return Builder()


def test_it_is_built_once_and_found_again(tmp_path: Path, builder: Builder) -> None:
    first, second = builder.ensure(tmp_path), builder.ensure(tmp_path)
    assert (first.fresh, second.fresh) == (True, False)
    assert replace(second, fresh=True) == first
    assert builder.reasons == ["it is not built yet"]


def test_an_unmarked_folder_is_built_anew(tmp_path: Path, builder: Builder) -> None:
    built = builder.ensure(tmp_path)
    (built.folder / "stray").write_text("")
    (built.folder / MARKER).unlink()
    assert builder.ensure(tmp_path).fresh
    assert not (built.folder / "stray").exists()
    assert builder.reasons[1] == "an earlier build did not finish"


def test_a_marker_cut_off_anywhere_means_a_rebuild(tmp_path: Path, builder: Builder) -> None:
    marker = builder.ensure(tmp_path).folder / MARKER
    content = marker.read_bytes()
    for end in range(len(content)):
        marker.write_bytes(content[:end])
        assert read_ready(marker.parent, IDENTITY)[0] is None
    marker.write_bytes(content)
    assert read_ready(marker.parent, IDENTITY)[0] is not None


def test_a_marker_of_something_else_does_not_count(tmp_path: Path, builder: Builder) -> None:
    folder = builder.ensure(tmp_path).folder
    for other in (b"[]", b"null", b'{"identity": {}}', b"\xff"):
        (folder / MARKER).write_bytes(other)
        assert builder.ensure(tmp_path).fresh


def test_what_fails_its_check_leaves_nothing(tmp_path: Path, builder: Builder) -> None:
    builder.proves = False
    with pytest.raises(NoEnvironment):
        builder.ensure(tmp_path)
    assert [path.suffix for path in environments_folder(tmp_path).iterdir()] in ([".lock"], [])


def test_damaged_files_are_never_marked_ready(tmp_path: Path, builder: Builder) -> None:
    plain = builder.build

    def build_damaged(folder: Path, descriptors: tuple[int, ...]) -> Layout:
        layout = plain(folder, descriptors)
        info = layout.site_packages / "one-1.0.dist-info"
        info.mkdir()
        (info / "RECORD").write_text("one.py,sha256=AAAA,3\n")
        return layout

    builder.build = build_damaged  # type: ignore[method-assign]
    with pytest.raises(NoEnvironment, match="do not match its distributions") as caught:
        builder.ensure(tmp_path)
    assert "one-1.0: one.py is missing" in caught.value.why


@pytest.mark.parametrize(
    "change",
    [
        {"lock": "b" * 64},
        {"python_version": "3.11.8"},
        {"interpreter": "/other"},
        {"python_build": "debug"},
        {"platform": "linux-aarch64"},
        {"backend": "container"},
        {"edition": "2"},
        {"schema": 3},
    ],
)
def test_whatever_it_is_made_of_changes_its_place(change: dict[str, object]) -> None:
    assert replace(IDENTITY, **change).folder_name != IDENTITY.folder_name  # type: ignore[arg-type]


def test_a_store_that_cannot_be_made_is_a_named_error(tmp_path: Path, builder: Builder) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NoEnvironment, match="cannot be created") as caught:
        builder.ensure(tmp_path / "file")
    assert "ENVGUARD_HOME" in caught.value.next_step


BUILD_WHEN_TOLD = """
import sys
from pathlib import Path
from tests.support.built import Builder

class Held(Builder):
    def build(self, folder, descriptors):
        with Path(sys.argv[1], "builds").open("a") as builds:
            builds.write("x")
        Path(sys.argv[1], "go").read_text()
        return super().build(folder, descriptors)

    def waiting(self, environment, holder):
        print(holder, flush=True)

Held().ensure(Path(sys.argv[1]) / "home")
"""


StartBuilder = Callable[[], subprocess.Popen[str]]


@pytest.fixture
def start_builder(tmp_path: Path) -> Iterator[StartBuilder]:
    """Starts a process that wants the environment; the one that is to build it waits until it is told to go on."""
    os.mkfifo(tmp_path / "go")
    checkout = Path(__file__).parents[2]
    command = f"import sys; sys.path.insert(0, {str(checkout)!r})\n{BUILD_WHEN_TOLD}"
    started: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        line = [sys.executable, "-I", "-c", command, str(tmp_path)]
        started.append(subprocess.Popen(line, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        with process:  # which closes its pipe and waits
            process.kill()


def go_on(tmp_path: Path) -> None:
    (tmp_path / "go").write_text("")  # waits until somebody reads it


def test_processes_that_want_the_same_build_it_once(tmp_path: Path, start_builder: StartBuilder) -> None:
    processes = [start_builder() for _ in range(8)]
    with selectors.DefaultSelector() as saying:
        for process in processes:
            assert process.stdout is not None
            saying.register(process.stdout, selectors.EVENT_READ, process.stdout)
        waiting = 0
        while waiting < 7:
            for key, _ in saying.select():
                assert key.data.readline().startswith("process ")
                saying.unregister(key.fileobj)
                waiting += 1
    go_on(tmp_path)
    for process in processes:
        process.communicate()
    assert [process.returncode for process in processes] == [0] * 8
    assert (tmp_path / "builds").read_text() == "x"


@pytest.mark.slow
def test_who_waits_is_told_for_whom(tmp_path: Path, start_builder: StartBuilder) -> None:
    first = start_builder()
    wait_until((tmp_path / "builds").exists, first)
    second = start_builder()
    assert second.stdout is not None
    assert second.stdout.readline().startswith(f"process {first.pid} (")
    go_on(tmp_path)
    for process in (first, second):
        process.communicate()
        assert process.returncode == 0


def test_a_killed_builder_is_followed_by_a_whole_build(
    tmp_path: Path, builder: Builder, start_builder: StartBuilder
) -> None:
    killed = start_builder()
    wait_until((tmp_path / "builds").exists, killed)
    killed.kill()
    killed.communicate()
    assert builder.ensure(tmp_path / "home").fresh
