"""NO_COLOR and the locale C: on a terminal, nothing but plain letters, whichever command it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.terminal import envguard_on_terminal

COMMANDS = [
    ["--help"],
    ["exec", "--help"],
    ["run", "--help"],
    ["list"],
    ["matrix", "quantize"],
    ["probe"],
    ["store", "list"],
    ["run", "quantize", "--explain", "sample:face"],
    ["exec", "no-such-environment", "--", "python"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_escape_code_and_no_letter_but_plain_ones(tmp_path: Path, command: list[str]) -> None:
    raw = envguard_on_terminal(
        *command, home=tmp_path, NO_COLOR="1", FORCE_COLOR="1", LANG="C", LC_ALL="", LC_CTYPE=""
    ).raw
    assert raw.strip()
    assert "\x1b" not in raw
    assert raw.isascii(), [line for line in raw.splitlines() if not line.isascii()]


def test_another_locale_keeps_its_letters(tmp_path: Path) -> None:
    assert not envguard_on_terminal("run", "--help", home=tmp_path, LANG="C.UTF-8", LC_ALL="C.UTF-8").raw.isascii()


@pytest.mark.parametrize("columns", [60, 80])
def test_lists_and_matrices_fit_the_window(tmp_path: Path, columns: int) -> None:
    for command in (["list"], ["matrix", "quantize"]):
        assert envguard_on_terminal(*command, home=tmp_path, columns=columns).widest <= columns
