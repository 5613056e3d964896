"""The audit sees every file that is not as its distribution lists it."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest

from envguard.store.manifest import scan
from envguard.store.records import Damage, audit_entries, listing_of


def audit(site: Path) -> tuple[Damage, ...]:
    return audit_entries(listing_of(site), scan(site.parent), site.name, site)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    tmp_path = tmp_path / "site"
    tmp_path.mkdir()
    content = b"answer = 42\n"
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    (tmp_path / "one.py").write_bytes(content)
    (tmp_path / "odd, name.py").write_bytes(content)
    info = tmp_path / "one-1.0.dist-info"
    info.mkdir()
    (info / "RECORD").write_text(
        f'one.py,sha256={digest},12\n"odd, name.py",sha256={digest},12\n'
        "one-1.0.dist-info/RECORD,,\nsub/__pycache__/x.pyc,sha256=A,1\n"
    )
    return tmp_path


def test_a_whole_installation_has_no_damage(site: Path) -> None:
    assert audit(site) == ()


def test_missing_changed_and_truncated_files_are_found(site: Path) -> None:
    (site / "one.py").write_bytes(b"answer = 43\n")
    (site / "odd, name.py").unlink()
    assert audit(site) == (
        Damage("one-1.0", "one.py", "changed"),
        Damage("one-1.0", "odd, name.py", "missing"),
    )
    (site / "one.py").write_bytes(b"")
    assert Damage("one-1.0", "one.py", "changed") in audit(site)


@pytest.mark.parametrize("row", ["one.py", "one.py,md5=AAAA,12", "one.py,sha256=AAAA,12", "../../one.py,sha256=A,1"])
def test_a_record_that_proves_nothing_is_damage(site: Path, row: str) -> None:
    (site / "one-1.0.dist-info" / "RECORD").write_text(row + "\n")
    assert audit(site)
