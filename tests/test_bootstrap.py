"""`make` shows what it does while it makes `.venv`: on a terminal in one line, in a log in a few."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from envguard.bootstrap import SECONDS_BETWEEN_LINES, Packages
from envguard.files import file_facts
from tests.support.local_index import make_wheel
from tests.support.pages import CHECKOUT
from tests.support.terminal import on_terminal

# Lines of pip 25, which looks all up before it downloads, and of pip 23 with a wheel in a folder.
NEWER = """\
Collecting rich==15.0.0 (from -r lockfiles/envguard/host/cp311.txt (line 40))
  Downloading rich-15.0.0-py3-none-any.whl.metadata (18 kB)
Collecting uv==0.13.9 (from -r lockfiles/envguard/host/cp311.txt (line 50))
  Using cached uv-0.13.9-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl.metadata (12 kB)
Downloading rich-15.0.0-py3-none-any.whl (310 kB)
Using cached uv-0.13.9-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl (17.6 MB)
Installing collected packages: uv, rich
Successfully installed rich-15.0.0 uv-0.13.9
"""
OLDER = """\
Looking in links: /wheels
Processing /wheels/rich-15.0.0-py3-none-any.whl (from -r lockfiles/envguard/host/cp311.txt (line 40))
Collecting uv==0.13.9
  Downloading uv-0.13.9-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl (17.6 MB)
     ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ 17.6/17.6 MB 50.1 MB/s eta 0:00:00
Installing collected packages: uv, rich
"""


def shown(lines: str) -> list[str]:
    read = Packages(2)
    return [told for line in lines.splitlines() if (told := read(line))]


def test_what_pip_says_is_shown_as_how_far_it_is() -> None:
    assert shown(NEWER) == [
        "looking up rich==15.0.0, package 1 of 2",
        "looking up uv==0.13.9, package 2 of 2",
        "downloading rich-15.0.0 (310 kB), package 1 of 2",
        "taking from pip's cache uv-0.13.9 (17.6 MB), package 2 of 2",
        "installing 2 packages",
    ]
    assert shown(OLDER) == [
        "looking up rich-15.0.0, package 1 of 2",
        "looking up uv==0.13.9, package 2 of 2",
        "downloading uv-0.13.9 (17.6 MB), package 2 of 2",
        "installing 2 packages",
    ]


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A checkout that needs one package, of which there is a wheel in `wheels`."""
    (tmp_path / "wheels").mkdir()
    wheel = make_wheel(tmp_path / "wheels", "private_thing", "1.0")
    lock = tmp_path / "lockfiles" / "envguard" / "host" / f"cp{sys.version_info[0]}{sys.version_info[1]}.txt"
    lock.parent.mkdir(parents=True)
    lock.write_text(f"private-thing==1.0 \\\n    --hash=sha256:{file_facts(wheel).sha256}\n", encoding="utf-8")
    (tmp_path / "envguard").mkdir()
    shutil.copy(CHECKOUT / "envguard" / "bootstrap.py", tmp_path / "envguard")
    return tmp_path


def command() -> list[str]:
    return [os.path.realpath(sys.executable), "-I", "envguard/bootstrap.py", "host"]


def offline(small: Path) -> dict[str, str]:
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(small / "wheels")}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="has no terminals of this kind")
def test_on_a_terminal_one_line_tells_what_is_done_and_for_how_long(small: Path) -> None:
    ended = on_terminal(command(), 80, offline(small), small)
    assert ended.code == 0, ended.raw
    assert (small / ".venv" / "bin" / "envguard").is_file()
    for what in ("making a virtual environment", "preparing pip", "looking up private_thing-1.0, package 1 of 1"):
        assert re.search(rf"\rbootstrap: \d+ s, {what}\x1b\[K", ended.raw), ended.raw
    stays = [line.rsplit("\r", 1)[-1].removeprefix("\x1b[K") for line in ended.raw.split("\r\n")]
    assert re.fullmatch(r"bootstrap: 1 packages in \d+ s", stays[1]), stays
    assert len(stays) == 2 + 1


@pytest.mark.slow
def test_a_log_gets_a_line_now_and_then_and_what_pip_complains_of(small: Path) -> None:
    for wheel in (small / "wheels").iterdir():
        wheel.unlink()
    began = time.monotonic()
    ended = subprocess.run(
        command(), cwd=small, env={**os.environ, **offline(small)}, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    seconds = time.monotonic() - began
    assert ended.returncode == 3
    assert "\r" not in ended.stdout
    progress = [line for line in ended.stdout.splitlines() if re.match(r"bootstrap: \d+ s, ", line)]
    assert int(seconds / SECONDS_BETWEEN_LINES) - 1 <= len(progress) <= seconds / SECONDS_BETWEEN_LINES
    assert "No matching distribution found for private-thing==1.0" in ended.stdout
    assert ended.stdout.endswith("\n  next: fix what the lines above report, then run make again\n")
    assert not (small / ".venv" / "envguard-bootstrap.txt").exists()
