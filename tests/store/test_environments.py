"""An environment is ready or it does not exist."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from envguard.errors import NoEnvironment
from envguard.layout import Layout
from envguard.store.environments import read_ready
from envguard.store.fingerprint import MARKER
from envguard.store.home import environments_folder
from tests.support.built import IDENTITY, Builder
from tests.support.waiting import wait_for


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


BUILD_SLOWLY = """
import sys, time
from pathlib import Path
from tests.support.built import Builder

class Slow(Builder):
    def build(self, folder, descriptors):
        with Path(sys.argv[1], "builds").open("a") as builds:
            builds.write("x")
        time.sleep(float(sys.argv[2]))
        return super().build(folder, descriptors)

    def waiting(self, environment, holder):
        print(holder)

Slow().ensure(Path(sys.argv[1]) / "home")
"""


def start_builder(tmp_path: Path, seconds: float) -> subprocess.Popen[str]:
    checkout = Path(__file__).parents[2]
    command = f"import sys; sys.path.insert(0, {str(checkout)!r})\n{BUILD_SLOWLY}"
    return subprocess.Popen(
        [sys.executable, "-I", "-c", command, str(tmp_path), str(seconds)], stdout=subprocess.PIPE, text=True
    )


def test_processes_that_want_the_same_build_it_once(tmp_path: Path) -> None:
    processes = [start_builder(tmp_path, 0.3) for _ in range(8)]
    assert [process.wait() for process in processes] == [0] * 8
    for process in processes:
        process.communicate()
    assert (tmp_path / "builds").read_text() == "x"


@pytest.mark.slow
def test_who_waits_is_told_for_whom(tmp_path: Path) -> None:
    first = start_builder(tmp_path, 3.5)
    wait_for(tmp_path / "builds")
    second = start_builder(tmp_path, 0)
    said, _ = second.communicate()
    assert said.startswith(f"process {first.pid} (")
    first.communicate()


def test_a_killed_builder_is_followed_by_a_whole_build(tmp_path: Path, builder: Builder) -> None:
    killed = start_builder(tmp_path, 60)
    wait_for(tmp_path / "builds")
    killed.kill()
    killed.communicate()
    assert builder.ensure(tmp_path / "home").fresh
