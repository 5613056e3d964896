"""Disks that are full, cannot be written, or lock no files: a named error, and nothing partial to be seen."""

from __future__ import annotations

import dataclasses
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from envguard.errors import NoEnvironment
from envguard.store.environments import read_ready
from envguard.store.home import environments_folder
from envguard.store.verifying import verify_environment
from tests.support.built import Builder
from tests.support.command import envguard
from tests.support.tiny import Tiny

Mount = Callable[[str], Path]


def nothing_partial(home: Path) -> bool:
    folder = environments_folder(home)
    return not folder.exists() or not [path for path in folder.iterdir() if path.is_dir()]


def outcome(tiny: Tiny) -> NoEnvironment | None:
    """Why it cannot be built, or None and it is whole."""
    try:
        folder = tiny.ensure().folder
    except NoEnvironment as error:
        return error
    assert verify_environment(folder) == ()
    return None


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.parametrize("own_cache", [True, False])
def test_a_full_disk_is_a_named_error_at_every_size(tiny: Tiny, mount: Mount, own_cache: bool) -> None:
    outcomes = set()
    for size in (16, 64, 128, 192, 224, 256, 288, 320, 352, 384, 512, 768, 1024, 4096):
        home = mount(f"size={size}k") / "home"
        here = dataclasses.replace(tiny, home=home, cache=home / "uv-cache" if own_cache else tiny.cache)
        (home / "logs").mkdir(parents=True)
        error = outcome(here)
        outcomes.add("refused" if error else "built")
        if error is None:
            continue
        assert "space" in f"{error.what} {error.why}", error.why
        assert "MB" in error.why
        assert "envguard store prune" in error.next_step
        assert nothing_partial(home)
    assert outcomes == {"built", "refused"}


def test_a_ready_environment_is_had_from_a_disk_that_cannot_be_written(mount: Mount) -> None:
    disk = mount("size=1m")
    built = Builder().ensure(disk)
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    assert read_ready(built.folder, built.identity)[0] is not None
    assert not Builder().ensure(disk).fresh


def test_a_disk_that_cannot_be_written_is_a_named_error(mount: Mount) -> None:
    disk = mount("size=1m,ro")
    with pytest.raises(NoEnvironment) as caught:
        Builder().ensure(disk / "home")
    assert "Read-only" in caught.value.why
    assert "ENVGUARD_HOME" in caught.value.next_step


@pytest.mark.slow
def test_the_command_says_that_the_store_cannot_be_written(mount: Mount) -> None:
    ended = envguard("path", "samples", home=mount("size=1m,ro") / "home")
    assert ended.code == 3, ended.err
    assert "ENVGUARD_HOME" in ended.err
    assert "Traceback" not in ended.err


# A filter in the kernel that answers flock() as NFS does where no lock daemon runs: "No locks available".
WITHOUT_LOCKS = """
import ctypes, errno, struct, sys
sys.path.insert(0, sys.argv[1])
FLOCK = {"x86_64": 73, "aarch64": 32}[sys.argv[3]]
code = [(0x20, 0, 0, 0), (0x15, 0, 1, FLOCK), (0x06, 0, 0, 0x00050000 | errno.ENOLCK), (0x06, 0, 0, 0x7FFF0000)]
program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *each) for each in code))
class Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_void_p)]
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.byref(Filter(len(code), ctypes.addressof(program)))) == 0

from pathlib import Path
from envguard.errors import NoEnvironment
from envguard.store.usage import hold
from tests.support.built import IDENTITY, Builder

for attempt in (lambda: Builder().ensure(Path(sys.argv[2])), lambda: hold(sys.argv[2] + "/any")):
    try:
        attempt()
    except NoEnvironment as error:
        print(error.exit_code, error.what, error.why, error.next_step)
"""


@pytest.mark.skipif(platform.machine() not in ("x86_64", "aarch64") or sys.platform != "linux", reason="needs seccomp")
def test_a_file_system_without_locks_is_a_named_error(tmp_path: Path) -> None:
    checkout = Path(__file__).parents[2]
    run = subprocess.run(
        [sys.executable, "-I", "-c", WITHOUT_LOCKS, checkout, tmp_path, platform.machine()],
        capture_output=True,
        text=True,
    )
    building, using = run.stdout.splitlines() or [run.stderr, ""]
    for said in (building, using):
        assert said.startswith("3 ")
        assert "cannot be locked" in said
        assert "No locks available" in said
        assert "ENVGUARD_HOME" in said
    assert nothing_partial(tmp_path)
