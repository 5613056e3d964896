"""README.md and docs/tutorial.md are true: their console lines, typed in order by somebody who has just cloned this.

They have an empty home, none of our variables, and what anyone brings: models, pictures, a log of a failure.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.environments import workshop
from tests.support.pages import CHECKOUT, typed_lines
from tests.support.prompt import Newcomer, prompt

README, TUTORIAL = "README.md", "docs/tutorial.md"
NOBODY = 65534
OLD_ENOUGH = "import sys; sys.exit(sys.version_info < (3, 10))"

NOT_TYPED = {
    "run verify my_model.int8.task --against my_model.task --roads cpu,gpu,web": "needs a GPU and a browser",
    "run verify my_model.int8.task --against my_model.task --roads gpu,web": "needs a GPU and a browser",
}
"""Lines, by how their commands end, that cannot be run wherever these tests are, and why."""


def without_comment(line: str) -> str:
    """What of a line is a command."""
    return line.split(" #")[0].rstrip()


def why_not(line: str) -> str:
    """Why a line is not typed; empty if it is."""
    return next((why for end, why in NOT_TYPED.items() if without_comment(line).endswith(f" {end}")), "")


def test_every_line_that_is_not_typed_is_one_of_a_page() -> None:
    lines = [without_comment(line) for page in (README, TUTORIAL) for line in typed_lines(CHECKOUT / page)]
    assert [end for end in NOT_TYPED if not any(line.endswith(f" {end}") for line in lines)] == []


@pytest.fixture
def room() -> Iterator[Path]:
    """A folder that others may enter, too."""
    with tempfile.TemporaryDirectory(prefix="envguard-first-hour-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(scope="module")
def belongings(store_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What readers have of their own, by the names that the pages give it.

    Their bundle has two of the three models of MediaPipe's face landmarker: the pages quantize all of it as a sample.
    Only a landmarker can be calibrated with pictures, so for that they have the whole, as `landmarker.task`.
    """
    folder = tmp_path_factory.mktemp("belongings")
    shop = workshop(store_home)
    (landmarker,) = shop.sample("face_landmarker").values()
    with zipfile.ZipFile(landmarker) as sample:
        detector, blendshapes = (sample.read(f"{name}.tflite") for name in ("face_detector", "face_blendshapes"))
    with zipfile.ZipFile(folder / "my_model.task", "w") as bundle:
        bundle.writestr("face_detector.tflite", detector)
        bundle.writestr("face_blendshapes.tflite", blendshapes)
    shutil.copy(landmarker, folder / "landmarker.task")
    (folder / "models").mkdir()
    (folder / "models" / "detector.tflite").write_bytes(detector)
    (folder / "other.tflite").write_bytes(blendshapes)
    (folder / "my_pictures").mkdir()
    for picture in shop.sample("faces").values():
        shutil.copy(picture, folder / "my_pictures")
    shutil.copy(CHECKOUT / "tests" / "doctor" / "logs" / "failures" / "dns.pip-dns.log", folder / "pip.log")
    return folder


def clone_of(room: Path, belongings: Path, newcomer: Newcomer) -> Path:
    """What is committed, as this user has it who has cloned it, with their belongings."""
    clone = room / "envguard"
    if not (CHECKOUT / ".git").exists():
        pytest.skip("these files are no clone, so no fresh one can be made: this is NOT tested here")
    subprocess.run(["git", "clone", "--quiet", CHECKOUT, clone], check=True)
    shutil.copytree(belongings, clone, dirs_exist_ok=True)
    newcomer.home.mkdir()
    if newcomer.user is not None:
        for each in (newcomer.home, clone, *clone.rglob("*")):
            os.chown(each, newcomer.user, newcomer.user, follow_symlinks=False)
    return clone


def lines_to_type(pages: tuple[str, ...], clone: Path) -> list[str]:
    """The lines of pages in order, without those that the same reader has typed already, under either name."""
    typed: dict[str, str] = {}
    for line in [line for page in pages for line in typed_lines(clone / page) if not why_not(line)]:
        typed.setdefault(without_comment(line).removeprefix(".venv/bin/"), line)
    return list(typed.values())


def failures(pages: tuple[str, ...], newcomer: Newcomer, clone: Path) -> list[str]:
    """Type every line of the pages in order; gives back all that do not end well, with what they said."""
    failed = []
    with prompt(newcomer, clone) as shell:
        for line in lines_to_type(pages, clone):
            print(f"$ {line}", flush=True)  # pytest shows it if the time is up
            began = time.monotonic()
            of_pictures = "--calibration" in line
            ended = shell.type(line.replace("my_model.task", "landmarker.task") if of_pictures else line)
            print(f"exit code {ended.code} after {time.monotonic() - began:.0f} s", flush=True)
            if ended.code != 0:
                failed.append(f"$ {line}\n{ended.out}{ended.err}exit code {ended.code}")
    return failed


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.timeout(5400)  # a tenth of it where nothing else goes on
@pytest.mark.skipif(sys.platform == "win32", reason="has no bash to type into")
@pytest.mark.parametrize(
    "user",
    [
        pytest.param(None, id="whoever-runs-the-tests"),
        pytest.param(NOBODY, id="a-user-without-rights"),
    ],
)
def test_every_line_does_what_it_says(room: Path, belongings: Path, user: int | None) -> None:
    newcomer = Newcomer(room / "home", user)
    is_root = os.geteuid() == 0
    if user is not None and not (is_root and newcomer.can("python3", "-c", OLD_ENOUGH)):
        pytest.skip("nobody else can be asked, or has no Python here that all may start: this is NOT tested here")
    clone = clone_of(room, belongings, newcomer)
    assert newcomer.can("python3", "-m", "venv", "--without-pip", str(clone / "venv"))
    # The tutorial takes as long again, and what a user without rights can do in it, root can.
    pages = (README,) if is_root and user is None else (README, TUTORIAL)
    failed = failures(pages, newcomer, clone)
    assert not failed, "\n\n".join(failed)
    if TUTORIAL in pages:
        assert (clone / "small.task").read_bytes() == (clone / "again.task").read_bytes()
        assert "verdict" in (clone / "report.html").read_text(encoding="utf-8")
