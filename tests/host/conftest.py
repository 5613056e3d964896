"""A plain user's variables, and programs that pretend to be a Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.pythons import MakeProgram


@pytest.fixture
def environ() -> dict[str, str]:
    """A plain user's variables: programs in the usual folders, nothing else."""
    return {"PATH": "/usr/local/bin:/usr/bin:/bin"}


@pytest.fixture
def make_program(tmp_path: Path) -> MakeProgram:
    """Write an executable file `NAME` with the given content into a folder of its own."""

    def make(name: str, content: str) -> Path:
        program = tmp_path / "programs" / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(content)
        program.chmod(0o755)
        return program

    return make
