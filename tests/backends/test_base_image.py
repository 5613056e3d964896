"""What is said of a base image whose Python does not start."""

from __future__ import annotations

import io
import struct
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from envguard.backends.base_image import probe_base
from envguard.backends.engine import find_engine
from envguard.errors import NoEnvironment
from tests.support.engine import TestEngine

FOREIGN = "envguard-test-foreign:1"
RISCV = 243


def program_for(machine: int) -> bytes:
    """The header of an ELF executable, which is all that a kernel reads of a program for another processor."""
    identity = b"\x7fELF\x02\x01\x01" + bytes(9)
    return identity + struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, 0, 64, 0, 0, 64, 56, 0, 0, 0, 0) + bytes(64)


@pytest.fixture
def foreign(engine: TestEngine) -> Iterator[str]:
    """An image whose Python is for a processor that is not this machine's, nor emulated here."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        program = program_for(RISCV)
        member = tarfile.TarInfo("usr/bin/python3")
        member.size, member.mode = len(program), 0o755
        tar.addfile(member, io.BytesIO(program))
    name, tag = FOREIGN.split(":")
    engine.client.api.import_image_from_data(packed.getvalue(), repository=name, tag=tag)
    yield FOREIGN
    engine.client.images.remove(FOREIGN, force=True)


def test_an_image_for_another_processor_is_named_as_one(engine: TestEngine, foreign: str, tmp_path: Path) -> None:
    with pytest.raises(NoEnvironment) as caught:
        probe_base(find_engine(engine.environ), foreign, owner="nobody", cache=tmp_path)
    assert caught.value.what.startswith(f"The base image {foreign} is for another processor than that of Docker")
    assert f"Name an image for {engine.architecture} with --base" in caught.value.next_step
