"""After a power cut an environment is whole or not there, and bytecode that is damaged is seen at the next start."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from envguard.layout import Layout
from envguard.store.environments import OWN_FILES, read_ready
from envguard.store.fingerprint import why_changed
from envguard.store.home import environments_folder
from envguard.store.manifest import MANIFEST
from envguard.store.marker import read_marker
from envguard.store.verifying import verify_environment
from tests.support.built import IDENTITY, Builder
from tests.support.command import Ended, envguard
from tests.support.wheel_projects import MODULE, index_of, write_wheel_project

FILES = 300
SEALED = OWN_FILES - {MANIFEST}
"""What seals itself, or is compared with what does."""


class BuilderOfMany(Builder):
    """Builds a folder with enough files for a power cut to find some of them unwritten."""

    def build(self, folder: Path, descriptors: tuple[int, ...]) -> Layout:
        layout = super().build(folder, descriptors)
        for number in range(FILES):
            place = layout.site_packages / f"package{number % 7}"
            place.mkdir(exist_ok=True)
            (place / f"module{number}.py").write_bytes(os.urandom(4096 + number))
        return layout


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[Path], Path]]:
    """Mounts the file system of an image file, which holds what was written out and nothing else; needs root.

    Always in the same place, instead of what was mounted there before.
    """
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("mkfs.ext4") is None:
        pytest.skip("only root can mount a disk of its own: this is NOT tested here")
    folder = tmp_path / "disk"
    folder.mkdir()

    def unmount() -> None:
        if folder.is_mount():
            subprocess.run(["umount", folder], check=True)

    def mount(image: Path) -> Path:
        unmount()
        run = subprocess.run(["mount", "-o", "loop", image, folder], capture_output=True, text=True)
        if run.returncode != 0:
            pytest.skip(f"this system mounts no image, so that is NOT tested here: {run.stderr}")
        return folder

    yield mount
    unmount()


def test_what_is_ready_is_on_the_disk_to_the_last_byte(tmp_path: Path, disk: Callable[[Path], Path]) -> None:
    image, at_the_cut = tmp_path / "image", tmp_path / "at-the-cut"
    with image.open("wb") as file:
        file.truncate(64 << 20)
    subprocess.run(["mkfs.ext4", "-q", image], check=True)
    home = disk(image) / "new" / "home"
    built = BuilderOfMany().ensure(home)
    (home / "unsynced").write_text("what no one asked to be written out")
    shutil.copyfile(image, at_the_cut)
    disk(at_the_cut)
    assert not (home / "unsynced").exists(), "the copy must be of the disk, not of what is still in memory"
    assert verify_environment(built.folder) == ()
    assert read_ready(built.folder, IDENTITY)[1] == ""
    assert len(list(built.folder.rglob("module*.py"))) == FILES


class Tools:
    """A project whose environment `tools` is ready: its folder, its store, and the environment's folder there."""

    def __init__(self, folder: Path) -> None:
        self.project = write_wheel_project(folder / "project")
        self.home = folder / "home"
        self.environ = index_of(self.project)
        self.use()
        (self.folder,) = (each for each in environments_folder(self.home).iterdir() if each.is_dir())
        self.python = read_marker(self.folder).python
        self.interpreter = read_marker(self.folder).interpreter

    def envguard(self, *arguments: str) -> Ended:
        return envguard(*arguments, home=self.home, cwd=self.project, **self.environ)

    def use(self) -> Ended:
        """Start the environment's Python, which imports its module."""
        ended = self.envguard("exec", "tools", "--", "python", "-c", f"import {MODULE}; print({MODULE}.version)")
        assert (ended.code, ended.out) == (0, "1.0\n"), ended
        return ended

    def changed(self, *, sources: bool = True) -> str:
        return why_changed(str(self.folder), self.python, self.interpreter, sources=sources)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Tools:
    return Tools(tmp_path_factory.mktemp("tools"))


@pytest.fixture
def tools(built: Tools) -> Tools:
    """The environment as it was built, or built anew after a test has damaged it; the next start is a warm one."""
    built.use()
    assert built.use().err == ""
    return built


def bytecode(folder: Path) -> Path:
    return next(folder.rglob(f"{MODULE}.cpython-*.pyc"))


def source(folder: Path) -> Path:
    return next(folder.rglob(f"{MODULE}.py"))


def empty(path: Path) -> None:
    os.truncate(path, 0)


def halve(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def cut_the_last_byte(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def overwrite(path: Path) -> None:
    path.write_bytes(os.urandom(path.stat().st_size + 1))


def forbid(path: Path) -> None:
    path.chmod(0)


DAMAGES: list[Callable[[Path], None]] = [empty, halve, cut_the_last_byte, overwrite, forbid]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: str(damage.__name__))
@pytest.mark.parametrize("file", [bytecode, source], ids=lambda file: str(file.__name__))
def test_damage_is_seen_by_every_check_alike(
    tools: Tools, damage: Callable[[Path], None], file: Callable[[Path], Path]
) -> None:
    path = file(tools.folder)
    damage(path)
    (row,) = (each for each in tools.envguard("list", "--json").document["environments"] if each["name"] == "tools")
    assert (row["ready"], path.name in row["why"]) == (False, True), row
    verified = tools.envguard("store", "verify", "tools")
    assert (verified.code, path.name in verified.out) == (1, True), verified
    tools.use()
    assert tools.envguard("store", "verify", "tools").code == 0


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: str(damage.__name__))
def test_damaged_bytecode_stops_no_warm_start(tools: Tools, damage: Callable[[Path], None]) -> None:
    damage(bytecode(tools.folder))
    assert "has changed" in tools.use().err, "it was built anew"


def test_a_warm_start_looks_at_all_that_python_reads(tools: Tools) -> None:
    left_out = []
    for path in sorted(each for each in tools.folder.rglob("*") if each.is_file() and not each.is_symlink()):
        before = path.stat()
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns - 1))
        if not tools.changed(sources=False):
            left_out.append(path.name)
        assert path.name in SEALED or tools.changed()
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert set(left_out) == {f"{MODULE}.py"} | SEALED


def test_what_only_a_deep_check_can_see_is_refused_by_every_start_from_then_on(tools: Tools) -> None:
    path = bytecode(tools.folder)
    before, content = path.stat(), bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert tools.changed() == "", "size, time and mode are the same"
    assert tools.envguard("store", "verify", "tools").code == 1
    assert "store verify" in tools.changed()
    tools.use()
    assert verify_environment(tools.folder) == ()


def test_a_store_that_is_made_read_only_for_all_stays_ready(tools: Tools) -> None:
    subprocess.run(["chmod", "-R", "a-w,a+rX", tools.folder], check=True)
    try:
        assert tools.changed() == ""
        assert verify_environment(tools.folder) == ()
    finally:
        subprocess.run(["chmod", "-R", "u+w", tools.folder], check=True)
