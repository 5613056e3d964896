"""A lock file is what envguard wrote, to the byte, or it is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from envguard.errors import BrokenData
from envguard.locks.lockfile import LARGEST_LOCK, Lock, LockedPackage, LockedWheel, read_lock
from envguard.npm_package import NpmPackage

LOCK = Lock(
    environment="tools",
    edition="1",
    python="3.11",
    cut_off="2026-01-01T00:00:00Z",
    requires=("one", "two>=2"),
    overrides=("three ; python_version < '0'",),
    packages=(
        LockedPackage(
            "one",
            "1.0",
            "",
            (
                LockedWheel("one-1.0-cp311-cp311-linux_x86_64.whl", "a" * 64),
                LockedWheel("one-1.0-py3-none-any.whl", "b" * 64),
            ),
        ),
        LockedPackage("two", "2.0", "sys_platform == 'win32'", (LockedWheel("two-2.0-py3-none-any.whl", "c" * 64),)),
    ),
    npm=(NpmPackage("@three/drei", "3.0.0", "d" * 86 + "=="),),
)


def written(folder: Path, text: str) -> Path:
    path = folder / "lock.txt"
    path.write_text(text, encoding="utf-8")
    return path


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    assert read_lock(written(tmp_path, LOCK.text())) == LOCK


def test_a_lock_whose_line_ends_git_changed_is_the_same_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock.txt"
    path.write_bytes(LOCK.text().replace("\n", "\r\n").encode())
    assert read_lock(path) == LOCK
    path.write_bytes(LOCK.text().replace("\n", "\r\n", 3).encode())
    with pytest.raises(BrokenData, match="not as envguard wrote it"):
        read_lock(path)


def test_the_digest_follows_the_content() -> None:
    other = Lock(**{**{name: getattr(LOCK, name) for name in LOCK.__slots__}, "edition": "2"})
    assert LOCK.digest != other.digest
    assert len(LOCK.digest) == 64


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# envguard lock 1", "# envguard lock 2"),
        ("# python: 3.11\n", ""),
        ("# python: 3.11", "# python: 3.11\n# python: 3.12"),
        ("# requires: one", "# requires: two>=2\n# requires: one\n# index: x"),
        ("one==1.0 \\", "one>=1.0 \\"),
        ("one==1.0 \\", "one @ file:///tmp/one.whl \\"),
        ("one==1.0 \\", "--index-url=http://localhost one==1.0 \\"),
        ("one==1.0 \\", "-r other.txt\none==1.0 \\"),
        ("one==1.0", "one==1.0 --global-option=x"),
        ("sha256:" + "a" * 64, "sha256:" + "a" * 63),
        ("sha256:" + "a" * 64, "md5:" + "a" * 32),
        ("# wheel: one-1.0-py3-none-any.whl\n", ""),
        ("# wheel: two-2.0-py3-none-any.whl", "# wheel: ../two-2.0-py3-none-any.whl"),
        ("\n\n", "\n\n\n"),
        ("two==2.0", " two==2.0"),
        ("# npm: @three/drei@3.0.0 sha512-d", "# npm: @three/drei@3.0.0 sha1-d"),
        ("# npm: @three/drei@3.0.0", "# npm: file:drei"),
    ],
)
def test_any_other_line_is_refused(tmp_path: Path, old: str, new: str) -> None:
    text = LOCK.text()
    assert old in text
    with pytest.raises(BrokenData) as caught:
        read_lock(written(tmp_path, text.replace(old, new, 1)))
    assert caught.value.why
    assert "envguard lock" in caught.value.next_step


@pytest.mark.parametrize("end", range(0, len(LOCK.text()) - 1, 7))
def test_a_truncated_lock_is_refused(tmp_path: Path, end: int) -> None:
    with pytest.raises(BrokenData):
        read_lock(written(tmp_path, LOCK.text()[:end]))


def test_a_huge_or_missing_or_binary_file_is_refused(tmp_path: Path) -> None:
    huge = tmp_path / "huge.txt"
    huge.write_bytes(b"#" * (LARGEST_LOCK + 2))
    binary = tmp_path / "binary.txt"
    binary.write_bytes(b"\x80\x81")
    for path in (huge, binary, tmp_path / "missing.txt", tmp_path):
        with pytest.raises(BrokenData):
            read_lock(path)
