"""`envguard matrix` as a user sees it."""

from __future__ import annotations

from pathlib import Path

import pytest

from envguard.catalog import builtin_catalog
from envguard.host.interpreters import HostFacts
from envguard.planning import platform_of
from tests.support.command import envguard


def test_the_shipped_proofs_make_a_table(tmp_path: Path, host: HostFacts) -> None:
    if platform_of(host.usable[0]).name != "linux-x86_64":
        pytest.skip("what is shipped was proved on Linux x86-64 alone")
    ended = envguard("matrix", "quantize", home=tmp_path)
    assert ended.code == 0, ended.err
    rows = {line.split()[0]: line.split()[1:] for line in ended.out.splitlines()[2:11]}
    minors = sorted(builtin_catalog().environments["quantize"].pythons, key=lambda minor: int(minor.split(".")[1]))
    assert rows["quantize"] == minors
    cells = {
        edition: dict(zip(minors, rows[edition], strict=True))
        for edition in ("0.10", "litert-0.11", "0.9", "0.4.1", "0.0.1")
    }
    for edition in ("0.10", "litert-0.11", "0.9"):
        assert cells[edition] == dict.fromkeys(minors, "works") | {"3.9": "fails", "3.15": "fails"}
    assert cells["0.4.1"] == dict.fromkeys(minors, "works") | {"3.14": "fails", "3.15": "fails"}
    assert set(rows["0.0.1"]) == {"fails"}


def test_an_environment_that_there_is_not_is_refused(tmp_path: Path) -> None:
    ended = envguard("matrix", "quantise", "--json", home=tmp_path)
    assert ended.code == 2
    assert "no environment 'quantise'" in ended.document["error"]
