"""A container engine of the tests' own: Debian's dockerd on its own socket, and a base image that debootstrap made.

Both are installed where root may do so. Where there can be none, tests that need one are skipped, or, with
ENVGUARD_TEST_ENGINE=required as `.ci/run` sets it, fail. ENVGUARD_TEST_ENGINE=unix:///... names one that runs already,
has no containers, and has the base image.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import docker
import pytest
from docker.errors import DockerException

DOCKERD = "/usr/sbin/dockerd"
DEBOOTSTRAP = "/usr/sbin/debootstrap"
PACKAGES = {DOCKERD: "docker.io", DEBOOTSTRAP: "debootstrap"}
BASE = "envguard-test-base:debian"
PYTHON = "python3-minimal,libpython3-stdlib"


class CannotHave(Exception):
    """Why there is no engine for the tests."""


@dataclass(frozen=True)
class TestEngine:
    """An engine that runs: its address, the base image in it and the minor of its Python, and the SDK's client."""

    __test__ = False

    address: str
    base: str
    python: str
    client: docker.DockerClient

    @property
    def environ(self) -> Mapping[str, str]:
        """What leads envguard to it, and to nothing of the user's."""
        return {"DOCKER_HOST": self.address, "ENVGUARD_BASE_IMAGE": self.base, "DOCKER_CONFIG": "/nowhere"}

    @property
    def architecture(self) -> str:
        """The processor that it runs programs for: `amd64`, `arm64`."""
        return str(self.client.version()["Arch"])

    def containers(self) -> list[str]:
        """The names of all containers, running or not."""
        return [container.name for container in self.client.containers.list(all=True)]


@pytest.fixture(scope="session")
def engine(store_home: Path) -> Iterator[TestEngine]:
    """The engine, for the whole session; it is stopped and its data removed at the end."""
    named = os.environ.get("ENVGUARD_TEST_ENGINE", "")
    if named.startswith("unix:"):
        yield _engine(named)
        return
    try:
        _install()
        archive = _base_archive(store_home / "engine")
        with _daemon(store_home / "engine") as address:
            docker.APIClient(address, timeout=300).import_image(str(archive), *BASE.split(":"))
            yield _engine(address)
    except CannotHave as reason:
        if named == "required":
            pytest.fail(f"NO CONTAINER ENGINE: {reason}")
        pytest.skip(f"NO CONTAINER ENGINE, nothing of containers is tested: {reason}")


def _engine(address: str) -> TestEngine:
    client = docker.DockerClient(address, timeout=300)
    say = ["python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    python = client.containers.run(BASE, say, network_mode="none", remove=True).decode().strip()
    return TestEngine(address, BASE, python, client)


def _install() -> None:
    """Have Debian's packages of the engine and of what makes the base image."""
    if os.name != "posix" or os.getuid() != 0:
        raise CannotHave("only root can start dockerd")
    missing = [package for program, package in PACKAGES.items() if not Path(program).exists()]
    if not missing:
        return
    if not Path("/etc/debian_version").exists() or shutil.which("apt-get") is None:
        raise CannotHave(f"this is no Debian, and has no {' and no '.join(missing)}")
    apt = ["apt-get", "install", "-qy", "--no-install-recommends", *missing]
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update", "-q"], apt):
        ended = subprocess.run(command, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if ended.returncode != 0:
        raise CannotHave(f"apt-get could not install {' and '.join(missing)}: {ended.stderr.strip()[-500:]}")


def _base_archive(folder: Path) -> Path:
    """A tar of this host's Debian with its Python and nothing else, made once and kept."""
    codename = _release().get("VERSION_CODENAME", "")
    archive = folder / f"base-{codename}.tar"
    if archive.exists():
        return archive
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        root, part = Path(scratch, "root"), Path(scratch, "part.tar")
        command = [DEBOOTSTRAP, "--variant=minbase", f"--include={PYTHON}", codename, str(root), *_mirror()]
        ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if ended.returncode != 0:
            raise CannotHave(f"debootstrap made no base image: {(ended.stdout + ended.stderr)[-500:]}")
        # Downloaded packages, manuals and translations are in nobody's image.
        left = ("var/cache", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale")
        left_out = [f"--exclude=./{name}" for name in left]
        subprocess.run(["tar", *left_out, "-C", root, "-cf", part, "."], check=True)
        part.replace(archive)
    return archive


def _release() -> dict[str, str]:
    lines = Path("/etc/os-release").read_text(encoding="utf-8").splitlines()
    return {name: value.strip('"') for name, _, value in (line.partition("=") for line in lines)}


def _mirror() -> list[str]:
    """Where this host has its own packages from."""
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Component: main"]
    listed = subprocess.run(command, capture_output=True, text=True).stdout.split()
    return [address for address in listed if "security" not in address][:1]


@contextlib.contextmanager
def _daemon(folder: Path) -> Iterator[str]:
    """Run dockerd; yields its address. Sockets have short names, so that one lies elsewhere."""
    for driver in ("overlay2", "vfs"):
        data, sockets = folder / "data", Path(tempfile.mkdtemp(prefix="envguard-"))
        shutil.rmtree(data, ignore_errors=True)
        address = f"unix://{sockets}/docker.sock"
        command = [
            DOCKERD, f"--storage-driver={driver}", "--iptables=false", "--bridge=none", f"--host={address}",
            f"--data-root={data}", f"--exec-root={sockets}/exec", f"--pidfile={sockets}/pid",
        ]  # fmt: skip
        with (folder / "dockerd.log").open("wb") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=_end_with_us
            )
        try:
            if _answers(process, address):
                yield address
                return
        finally:
            process.terminate()
            process.wait()
            shutil.rmtree(data, ignore_errors=True)
            shutil.rmtree(sockets, ignore_errors=True)
    raise CannotHave(f"dockerd does not start: {(folder / 'dockerd.log').read_text(errors='replace')[-500:]}")


def _end_with_us() -> None:
    set_parent_death_signal = 1  # PR_SET_PDEATHSIG of prctl(2)
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGTERM)


def _answers(process: subprocess.Popen[bytes], address: str) -> bool:
    while process.poll() is None:
        with contextlib.suppress(DockerException):
            docker.DockerClient(address).ping()
            return True
        time.sleep(0.1)
    return False
