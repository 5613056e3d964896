"""What a step prints is masked before it is written, however it was cut into pieces."""

from __future__ import annotations

from pathlib import Path

import pytest

from envguard.host.interpreters import HostFacts
from envguard.host.secrets import without_secrets
from envguard.planning import minor_of
from envguard.running.commands.masking import MOST_HELD, Masking
from tests.support.projects import shop_of, write_project
from tests.support.tasks import run_on

VALUES = {"API_TOKEN": "correct-horse-battery", "SSH_KEY": "first of it\nsecond of it\nthird of it", "A_PIN": "4711"}
TEXT = (
    "correct\ncorrect-horse-battery and correct-horse\r\n-battery\n"
    "  first of it\n  second of it\n  third of it\n"
    "pin 4711, no 47110\nhttps://me:word@mirror.example/x\nthe end is correct-horse-battery"
)
TASK = """
    [tasks.work]
    summary = "work"
    output = "tell:out"
    [[tasks.work.steps]]
    name = "tell"
    environment = "one"
    command = ["python", "tell.py", "{output.out}", "${LOGS}"]
    outputs = { out = "out.txt" }
    pass-env = ["API_TOKEN", "LOGS"]
    timeout = 60
"""
TELL = """
    import os, sys, time
    from pathlib import Path
    token = os.environ["API_TOKEN"]
    for piece in ("token: ", token[:9], token[9:], "\\n"):
        print(piece, end="", flush=True)
        time.sleep(0.05)
    def log():
        return "".join(each.read_text() for each in Path(sys.argv[2]).glob("work-tell-*"))
    while "token" not in log():
        time.sleep(0.05)
    Path(sys.argv[1]).write_text(log())
"""


@pytest.mark.parametrize("size", [1, 2, 7, 60, 1000])
def test_pieces_of_any_size_are_masked_as_the_whole_is(size: int) -> None:
    masking = Masking(VALUES)
    pieces = [TEXT[at : at + size] for at in range(0, len(TEXT), size)]
    assert "".join(map(masking.masked, pieces)) + masking.rest() == without_secrets(TEXT, VALUES)


def test_a_line_without_an_end_is_not_kept_for_ever() -> None:
    masking = Masking(VALUES)
    shown = "".join(masking.masked("+ " * 50_000 + "correct-horse-battery") for _ in range(9))
    assert len(shown) > 800_000 - MOST_HELD
    assert "horse" not in shown + masking.rest()


def test_the_log_of_a_step_holds_no_secret_while_it_runs(tmp_path: Path, host: HostFacts) -> None:
    project = write_project(tmp_path / "project", minor_of(host.usable[0]), TASK, {"tell.py": TELL})
    home, target = tmp_path / "home", tmp_path / "out.txt"
    environ = {"API_TOKEN": VALUES["API_TOKEN"], "LOGS": str(home / "logs")}
    shop = shop_of(project, home, environ)
    run_on(shop.catalog.tasks["work"], {}, target, shop)
    assert target.read_text() == "token: ****\n"
