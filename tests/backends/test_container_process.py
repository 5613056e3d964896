"""What a program in a container can do, tried by a program in a container."""

from __future__ import annotations

import json
import os
import signal
import tarfile
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from envguard.backends.base_image import look_up, probe_base
from envguard.backends.container_process import ContainerSpec, Mount, remove_left_over, run_in_container
from envguard.backends.engine import Engine, ImageMissing, find_engine
from envguard.backends.resources import Resources
from envguard.errors import NoEnvironment
from envguard.planning import minor_of
from tests.support.engine import TestEngine

pytestmark = [pytest.mark.slow, pytest.mark.network]

RESOURCES = Resources(256 << 20, 1.0)
WORK, GIVEN = PurePosixPath("/out"), PurePosixPath("/given/file")

LOOK = """
import errno, json, os, socket
def refused(name):
    try:
        with open(name, "w") as file:
            file.write("x")
    except OSError as error:
        return errno.errorcode[error.errno]
status = dict(line.split(":\\t") for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
limit = next(path for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
             if os.path.exists(path))
try:
    socket.create_connection(("192.0.2.1", 80), timeout=2)
except OSError as error:
    network = errno.errorcode[error.errno]
print(json.dumps({
    "user": [os.getuid(), os.getgid()], "capabilities": status["CapEff"], "bounding": status["CapBnd"],
    "no_new_privileges": status["NoNewPrivs"], "devices": sorted(os.listdir("/sys/class/net")), "network": network,
    "root": refused("/x"), "given": refused("/given/file"), "scratch": refused("/tmp/x"), "work": refused("/out/made"),
    "read": open("/given/file").read(), "memory": int(open(limit).read()),
    "variables": sorted(set(os.environ) - {"LC_CTYPE"}),
}))
"""


@pytest.fixture
def found(engine: TestEngine) -> Engine:
    return find_engine(engine.environ)


def run(found: Engine, folder: Path, *command: str, resources: Resources = RESOURCES) -> tuple[int, str, str]:
    """A program of the base image, with a file to read and a folder to write to."""
    given, work = folder / "given", folder / "work"
    given.write_text("mine")
    work.mkdir()
    mounts = (Mount(given, GIVEN), Mount(work, WORK, writable=True))
    spec = ContainerSpec("envguard-test-base:debian", command, mounts, {"ONE": "1"}, WORK, "nobody/nothing")
    with (folder / "log").open("wb") as log:
        code, said = run_in_container(found, spec, resources, log)
    return code, said.decode(), (folder / "log").read_text()


def test_it_can_do_nothing_but_compute_and_write_to_one_folder(
    engine: TestEngine, found: Engine, tmp_path: Path
) -> None:
    code, said, log = run(found, tmp_path, "python3", "-c", LOOK)
    assert code == 0, log
    seen: dict[str, Any] = json.loads(said)
    assert seen == {
        "user": [os.getuid(), os.getgid()],
        "capabilities": "0" * 16,
        "bounding": "0" * 16,
        "no_new_privileges": "1",
        "devices": ["lo"],
        "network": "ENETUNREACH",
        "root": "EROFS",
        "given": "EROFS",
        "scratch": None,
        "work": None,
        "read": "mine",
        "memory": 256 << 20,
        "variables": ["HOME", "HOSTNAME", "ONE", "PATH"],
    }
    assert (tmp_path / "given").read_text() == "mine"
    made = (tmp_path / "work" / "made").stat()
    assert (made.st_uid, made.st_gid) == (os.getuid(), os.getgid())
    assert engine.containers() == []


def test_outputs_are_the_callers_and_not_roots(found: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may start a container as anybody, so anybody's rights can be tried here."""
    monkeypatch.setattr(os, "getuid", lambda: 1234)
    monkeypatch.setattr(os, "getgid", lambda: 4321)
    code, _, log = run(found, tmp_path, "python3", "-c", "open('/tmp/x', 'w').close(); open('/out/made', 'w')")
    assert code != 0
    assert "Permission denied: '/out/made'" in log  # the folder is root's
    os.chown(tmp_path / "work", 1234, 4321)
    (tmp_path / "work").rename(tmp_path / "theirs")
    again = Mount(tmp_path / "theirs", WORK, writable=True)
    spec = ContainerSpec("envguard-test-base:debian", ("python3", "-c", "open('made', 'w')"), (again,), {}, WORK, "x/y")
    with (tmp_path / "log").open("wb") as file:
        assert run_in_container(found, spec, RESOURCES, file)[0] == 0
    made = (tmp_path / "theirs" / "made").stat()
    assert (made.st_uid, made.st_gid) == (1234, 4321)


def test_its_end_is_told_as_a_processs_would_be(engine: TestEngine, found: Engine, tmp_path: Path) -> None:
    program = "import os, sys; print('out'); print('err', file=sys.stderr); sys.stdout.flush(); sys.exit(7)"
    assert run(found, tmp_path, "python3", "-c", program) == (7, "out\n", "err\n")
    assert engine.containers() == []


def test_too_much_memory_ends_it_and_is_said(engine: TestEngine, found: Engine, tmp_path: Path) -> None:
    code, _, log = run(found, tmp_path, "python3", "-c", "bytearray(500 << 20)", resources=Resources(64 << 20, 1.0))
    assert code == -signal.SIGKILL
    assert "ENVGUARD_MEMORY" in log
    assert engine.containers() == []


def test_what_a_killed_run_has_left_is_removed_and_nothing_else(engine: TestEngine, found: Engine) -> None:
    make = engine.client.api.create_container
    ours, theirs = (make(engine.base, ["true"], labels={"envguard.owner": owner})["Id"] for owner in ("gone", "here"))
    other = make(engine.base, ["true"])["Id"]
    remove_left_over(found, lambda owner: owner == "gone")
    left = {container.id for container in engine.client.containers.list(all=True)}
    assert left == {theirs, other}
    assert ours not in left
    for each in left:
        engine.client.api.remove_container(each)


def test_a_base_says_which_python_and_packages_it_brings(engine: TestEngine, found: Engine, tmp_path: Path) -> None:
    python = probe_base(found, engine.base, owner="x/y", cache=tmp_path)
    assert minor_of(python) == engine.python
    assert python.usable
    assert python.base is not None
    assert python.base.packages is not None
    assert {"libc6", "python3-minimal"} <= python.base.packages
    assert "libegl1" not in python.base.packages
    (kept,) = tmp_path.glob("*.json")
    kept_text = kept.read_text()
    kept.write_text(kept_text.replace('"libc6"', '"libc7"'))
    again = probe_base(found, engine.base, owner="x/y", cache=tmp_path)
    assert again.base is not None
    assert again.base.packages is not None
    assert "libc7" in again.base.packages  # it was read, not asked again
    assert engine.containers() == []


def test_an_image_that_is_not_there(found: Engine, tmp_path: Path) -> None:
    assert look_up(found, "nowhere.invalid/none:1") is None
    with pytest.raises(ImageMissing) as caught:
        probe_base(found, "nowhere.invalid/none:1", owner="x/y", cache=tmp_path)
    assert (caught.value.what, caught.value.exit_code) == ("The base image nowhere.invalid/none:1 is missing.", 3)


def test_a_base_without_a_python(engine: TestEngine, found: Engine, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "empty.tar", "w") as archive:
        archive.add(Path(__file__), "file")
    engine.client.api.import_image(str(tmp_path / "empty.tar"), "envguard-test-empty", "1")
    with pytest.raises(NoEnvironment) as caught:
        probe_base(found, "envguard-test-empty:1", owner="x/y", cache=tmp_path)
    assert caught.value.what == "The base image envguard-test-empty:1 has no usable Python."
    engine.client.images.remove("envguard-test-empty:1")
    assert engine.containers() == []
