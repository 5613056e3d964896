"""The check of data environments compares every file that samples name."""

from __future__ import annotations

import hashlib
from pathlib import Path

from envguard.payload.checks import samples
from envguard.payload.contract import CheckFindings, Json, Request, StepFindings
from envguard.payload.protocol import Events

CONTENT = b"a model, or a picture"
FILE: dict[str, Json] = {
    "path": "package/model.task",
    "bytes": len(CONTENT),
    "sha256": hashlib.sha256(CONTENT).hexdigest(),
}


class Silence(Events):
    """Events without a stream: the real ones take over standard output."""

    def __init__(self) -> None:
        pass

    def _emit(self, event: object) -> None:
        pass


def check(folder: Path) -> StepFindings:
    request = Request("checks.samples", {"site-packages": (folder,)}, folder, {"files": [FILE]})
    return samples.run(request, Silence())


def lay_out(folder: Path, content: bytes) -> None:
    path = folder / "package" / "model.task"
    path.parent.mkdir()
    path.write_bytes(content)


def test_files_as_promised_pass(tmp_path: Path) -> None:
    lay_out(tmp_path, CONTENT)
    result = check(tmp_path)
    assert result.failures == ()
    assert result.values == CheckFindings({"files": 1, "bytes": len(CONTENT)})


def test_a_file_of_another_size_is_named(tmp_path: Path) -> None:
    lay_out(tmp_path, CONTENT + b".")
    (failure,) = check(tmp_path).failures
    assert failure.message == "package/model.task has 22 bytes instead of 21."


def test_a_file_of_other_content_is_named(tmp_path: Path) -> None:
    lay_out(tmp_path, CONTENT.upper())
    (failure,) = check(tmp_path).failures
    assert "other content" in failure.message


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    (failure,) = check(tmp_path).failures
    assert failure.message == "package/model.task cannot be read (No such file or directory)."
