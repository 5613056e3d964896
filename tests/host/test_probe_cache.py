"""An interpreter is asked once, until its file changes; a damaged memory of that hurts nobody."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from envguard.host import probe_cache
from envguard.host.discovery import examine
from envguard.host.probing import PROBE_DIGEST
from tests.support.pythons import MakeProgram, on_path, running_python


@pytest.fixture
def counted(make_program: MakeProgram, tmp_path: Path) -> Path:
    """A real Python that writes a line into `starts` whenever it is started."""
    line = f"#!/bin/sh\necho start >> '{tmp_path}/starts'\n"
    return make_program("python3", f'{line}exec {running_python()} "$@"\n')


def starts(tmp_path: Path) -> int:
    file = tmp_path / "starts"
    return len(file.read_text().splitlines()) if file.exists() else 0


def test_the_second_look_starts_nothing_and_sees_the_same(
    counted: Path, tmp_path: Path, environ: dict[str, str]
) -> None:
    first = examine(on_path(counted), environ, cache=tmp_path / "cache")
    assert examine(on_path(counted), environ, cache=tmp_path / "cache") == first
    assert first.usable
    assert starts(tmp_path) == 1


def test_a_changed_file_is_asked_again(counted: Path, tmp_path: Path, environ: dict[str, str]) -> None:
    examine(on_path(counted), environ, cache=tmp_path / "cache")
    os.utime(counted, ns=(1, 1))
    examine(on_path(counted), environ, cache=tmp_path / "cache")
    assert starts(tmp_path) == 2


def test_refresh_asks_again(counted: Path, tmp_path: Path, environ: dict[str, str]) -> None:
    examine(on_path(counted), environ, cache=tmp_path / "cache")
    examine(on_path(counted), environ, cache=tmp_path / "cache", refresh=True)
    assert starts(tmp_path) == 2


def test_another_probe_asks_again(
    counted: Path, tmp_path: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    examine(on_path(counted), environ, cache=tmp_path / "cache")
    monkeypatch.setattr(probe_cache, "PROBE_DIGEST", "the digest of a newer probe")
    examine(on_path(counted), environ, cache=tmp_path / "cache")
    assert starts(tmp_path) == 2


@pytest.mark.parametrize(
    "damage",
    ["", "{", "[]", "null", '{"probe": 1}', "\x00\xff", "[" * 100_000, '{"probe": "DIGEST", "entries": [1]}'],
)
def test_a_damaged_cache_is_healed(counted: Path, tmp_path: Path, environ: dict[str, str], damage: str) -> None:
    file = tmp_path / "cache" / probe_cache.FILE_NAME
    first = examine(on_path(counted), environ, cache=tmp_path / "cache")
    file.write_text(damage.replace("DIGEST", PROBE_DIGEST))
    assert examine(on_path(counted), environ, cache=tmp_path / "cache") == first
    assert examine(on_path(counted), environ, cache=tmp_path / "cache") == first
    assert starts(tmp_path) == 2


@pytest.mark.parametrize(("good", "bad"), [('"bits": 64', '"bits": "64"'), ('"version"', '"verse"')])
def test_an_entry_of_another_shape_is_asked_again(
    counted: Path, tmp_path: Path, environ: dict[str, str], good: str, bad: str
) -> None:
    file = tmp_path / "cache" / probe_cache.FILE_NAME
    first = examine(on_path(counted), environ, cache=tmp_path / "cache")
    file.write_text(file.read_text().replace(good, bad))
    assert examine(on_path(counted), environ, cache=tmp_path / "cache") == first
    assert starts(tmp_path) == 2


def test_a_failure_is_remembered_for_a_short_time_only(
    make_program: MakeProgram, tmp_path: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = make_program("python3", f"#!/bin/sh\necho start >> '{tmp_path}/starts'\nexit 3\n")
    first = examine(on_path(broken), environ, cache=tmp_path / "cache")
    assert examine(on_path(broken), environ, cache=tmp_path / "cache") == first
    assert starts(tmp_path) == 1
    monkeypatch.setattr(probe_cache, "BRIEF_SECONDS", -1.0)
    examine(on_path(broken), environ, cache=tmp_path / "cache")
    assert starts(tmp_path) == 2


def test_a_file_made_executable_is_seen_at_once(counted: Path, tmp_path: Path, environ: dict[str, str]) -> None:
    counted.chmod(0o644)
    assert examine(on_path(counted), environ, cache=tmp_path / "cache").broken[0].problem == "not executable"
    counted.chmod(0o755)
    assert examine(on_path(counted), environ, cache=tmp_path / "cache").usable


def test_a_cache_that_cannot_be_written_is_done_without(counted: Path, tmp_path: Path, environ: dict[str, str]) -> None:
    (tmp_path / "file").write_text("in the way")
    assert examine(on_path(counted), environ, cache=tmp_path / "file/cache").usable


def test_interpreters_that_are_gone_are_forgotten(
    counted: Path, make_program: MakeProgram, tmp_path: Path, environ: dict[str, str]
) -> None:
    file = tmp_path / "cache" / probe_cache.FILE_NAME
    examine(on_path(counted), environ, cache=tmp_path / "cache")
    assert str(counted) in file.read_text()
    counted.unlink()
    examine(on_path(make_program("python", "#!/bin/sh\n")), environ, cache=tmp_path / "cache")
    assert str(counted) not in file.read_text()
