"""docs/tutorial.md is true: its commands on the built-in model are run, in order, in one folder.

Those on a reader's own model, and the two that set up a shell, are only parsed (test_commands.py).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command import Ended, envguard
from tests.support.pages import CHECKOUT, lines

pytestmark = [pytest.mark.slow, pytest.mark.network]

RUN = [
    line.words[1:]
    for line in lines(CHECKOUT / "docs" / "tutorial.md")
    if line.whole and line.words[0] == "envguard" and "my_model.task" not in line.words
]


def test_the_tutorial_is_true(tmp_path: Path, store_home: Path) -> None:
    ended: dict[str, Ended] = {}
    for words in RUN:
        ended[" ".join(words[:2])] = run = envguard(*words, home=store_home, cwd=tmp_path)
        assert run.code == 0, f"{words}: {run.out}{run.err}"
    assert ended.keys() >= {"run quantize", "inspect small.task", "verify-receipt small.task.receipt.json"}
    assert (tmp_path / "small.task").read_bytes() == (tmp_path / "again.task").read_bytes()
    assert "verdict" in (tmp_path / "report.html").read_text(encoding="utf-8")
