"""On a terminal progress moves and tells the time left; a file, a narrow window and a dumb terminal get what fits."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import pytest

from envguard.cli.progress_line import clock
from tests.support.command import envguard
from tests.support.terminal import COLOUR, Shown, envguard_on_terminal, on_terminal

STEPS = """
import os, sys, threading
from envguard.cli.screen import screen
from envguard.cli.text import can_move_the_cursor
from envguard.running.events import Building, BuildProgress, StepEnded, StepProgress, StepStarted

class Terminal:
    written = 0
    changed = threading.Condition()

    def write(self, text):
        sys.__stderr__.write(text)
        with self.changed:
            self.written += 1
            self.changed.notify_all()

    def __getattr__(self, name):
        return getattr(sys.__stderr__, name)

    def until_drawn(self):  # what is being written may be of before, what comes next is not
        with self.changed:
            enough = self.written + 2
            self.changed.wait_for(lambda: self.written >= enough)

terminal = Terminal()
with screen(terminal) as show:
    def drawn(event):
        show(event)
        if can_move_the_cursor(sys.__stderr__, os.environ):
            terminal.until_drawn()

    show(Building("tools", "tools 1 on Python 3.11.7 (/usr/bin/python3.11)", "it is not built yet"))
    for done in range(6):
        drawn(BuildProgress("tools", f"downloading, {done} of 5 MB", done, 5))
    drawn(BuildProgress("tools", "installing 12 packages"))
    show(StepStarted("quantize", "tools"))
    for done in range(1, 5):
        drawn(StepProgress("quantize", "face_landmarks_detector: candidates that are tried", done, 4))
    show(StepEnded("quantize", 1.2, ()))
"""


@cache
def run(columns: int, **environ: str) -> Shown:
    shown = on_terminal([sys.executable, "-I", "-c", STEPS], columns, environ, Path.cwd())
    assert shown.code == 0, shown.raw
    return shown


def test_progress_tells_what_how_far_and_how_long_it_will_take() -> None:
    shown = run(80)
    moving = [line for line in shown.lines if line.startswith("tools: downloading")]
    assert any("3 of 5 MB" in line and "━" in line and line.endswith(" left") for line in moving)
    assert "building tools 1 on Python 3.11.7 (/usr/bin/python3.11): it is not built yet" in " ".join(shown.lines)
    assert "quantize: ok, 1.2 s" in shown.lines


def test_what_has_no_known_end_tells_no_time_left() -> None:
    installing = [line for line in run(80).lines if line.startswith("tools: installing 12 packages")]
    assert installing
    assert not [line for line in installing if "left" in line]


@pytest.mark.parametrize("columns", [20, 40, 60, 80, 200])
def test_no_line_is_wider_than_the_window(columns: int) -> None:
    assert run(columns).widest <= columns


def test_a_narrow_window_gives_the_bar_away_for_the_words() -> None:
    shown = run(40)
    assert "━" not in shown.raw
    assert [line for line in shown.lines if line.startswith("tools: downloadi") and line.endswith("left")]


def test_colour_is_for_terminals_and_no_color_forbids_it() -> None:
    assert COLOUR.search(run(80).raw)
    assert not COLOUR.search(run(80, NO_COLOR="1").raw)
    assert not COLOUR.search(run(80, NO_COLOR="1", FORCE_COLOR="1").raw)


def test_a_dumb_terminal_gets_plain_lines() -> None:
    shown = run(80, TERM="dumb")
    assert "\x1b" not in shown.raw
    assert shown.lines == [
        "building tools 1 on Python 3.11.7 (/usr/bin/python3.11): it is not built yet",
        "quantize: ok, 1.2 s",
    ]


def test_an_error_is_coloured_on_a_terminal_and_plain_everywhere_else(tmp_path: Path) -> None:
    shown = envguard_on_terminal("lock", "nothing", home=tmp_path)
    assert shown.code == 2
    assert COLOUR.search(shown.raw)
    plain = envguard("lock", "nothing", home=tmp_path)
    assert shown.lines == plain.err.splitlines()
    assert "\x1b" not in plain.err
    assert "\x1b" not in envguard_on_terminal("lock", "nothing", home=tmp_path, NO_COLOR="1").raw
    assert "\x1b" not in envguard_on_terminal("lock", "nothing", home=tmp_path, TERM="dumb").raw
    assert COLOUR.search(envguard("lock", "nothing", home=tmp_path, FORCE_COLOR="1").err)
    assert "\x1b" not in envguard("lock", "nothing", home=tmp_path, FORCE_COLOR="1", NO_COLOR="1").err


@pytest.mark.parametrize("columns", [40, 80])
def test_tables_and_help_fit_the_window(tmp_path: Path, columns: int) -> None:
    for arguments in (["probe"], ["--help"], ["setup", "--help"]):
        shown = envguard_on_terminal(*arguments, home=tmp_path, columns=columns)
        assert shown.code == 0
        assert shown.widest <= columns, f"{arguments}: {max(shown.lines, key=len)!r}"


@pytest.mark.network
@pytest.mark.parametrize("columns", [40, 80])
def test_setting_up_shows_what_it_downloads_and_fits_the_window(tmp_path: Path, columns: int) -> None:
    project, home = tmp_path / "p", tmp_path / "home"
    project.mkdir()
    for command in (["init"], ["lock"]):
        assert envguard(*command, home=home, cwd=project).code == 0
    shown = envguard_on_terminal("setup", home=home, cwd=project, columns=columns)
    assert shown.code == 0, shown.raw
    assert [line for line in shown.lines if line.startswith("pages: ")]
    words = [line for line in shown.lines if "/" not in line]
    assert max(map(len, words)) <= columns
    assert [line for line in shown.lines if line.startswith("Everything is ready after ")]


def test_a_forced_colour_does_not_narrow_what_goes_into_a_file(tmp_path: Path) -> None:
    plain = envguard("probe", home=tmp_path).out
    assert len(envguard("probe", home=tmp_path, FORCE_COLOR="1").out.splitlines()) == len(plain.splitlines())


@pytest.mark.parametrize(("seconds", "shown"), [(0, "0:00"), (67.9, "1:07"), (3723, "1:02:03")])
def test_times_are_minutes_and_seconds(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown
