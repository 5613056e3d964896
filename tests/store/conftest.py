"""Small real environments, and disks that are full or cannot be written."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.tiny import Tiny, lock_of


@pytest.fixture
def tiny(tmp_path: Path, store_home: Path) -> Tiny:
    """An environment of one file, as good as any for what happens around it."""
    cache = store_home / "tiny" / "uv-cache"
    return Tiny(lock_of(cache, "six==1.16.0"), tmp_path / "home", cache)


@pytest.fixture
def mixed(tmp_path: Path, store_home: Path) -> Tiny:
    """A small environment with sources, bytecode, native libraries and commands."""
    cache = store_home / "tiny" / "uv-cache"
    lock = lock_of(cache, "six==1.16.0", "charset-normalizer==3.4.0", "markupsafe==3.0.2")
    return Tiny(lock, tmp_path / "home", cache)


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mounts a file system in memory with the given options; needs root."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root can mount a small disk: this is NOT tested here")
    mounted: list[Path] = []

    def mount_tmpfs(options: str) -> Path:
        folder = tmp_path / f"disk{len(mounted)}"
        folder.mkdir()
        run = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, text=True)
        if run.returncode != 0:
            pytest.skip(f"this system mounts no small disk, so that is NOT tested here: {run.stderr}")
        mounted.append(folder)
        return folder

    yield mount_tmpfs
    for folder in mounted:
        subprocess.run(["umount", "--lazy", folder], check=True)
