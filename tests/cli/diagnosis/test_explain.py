"""`envguard explain` as a user meets it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.command import envguard
from tests.support.logs_kept import LOGS

FAILURES = LOGS / "failures"


def test_cause_evidence_and_cure_are_told(tmp_path: Path) -> None:
    ended = envguard("explain", FAILURES / "tf_lite_tools.tf-lite-tools.log", home=tmp_path)
    assert ended.code == 0
    assert ended.out.startswith("tf_lite_tools (reproduced)\n  cause:    The tensorflow folder is partly removed")
    assert "evidence: line 3: ModuleNotFoundError: No module named 'tensorflow.lite'" in ended.out


def test_standard_input_is_read_where_no_file_is_named(tmp_path: Path) -> None:
    with (FAILURES / "pythonhome.py-pythonhome.log").open("rb") as log:
        run = subprocess.run(
            [sys.executable, "-I", "-m", "envguard", "explain", "-", "--json"],
            env={**os.environ, "ENVGUARD_HOME": str(tmp_path)},
            stdin=log,
            capture_output=True,
            text=True,
        )
    assert run.returncode == 0
    assert '"rule": "pythonhome"' in run.stdout


def test_what_is_not_known_is_said_and_ends_with_one(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("all is well\n")
    ended = envguard("explain", log, home=tmp_path)
    assert ended.code == 1
    assert "report-bug" in ended.out
    assert envguard("explain", log, "--json", home=tmp_path).document["hints"] == []


def test_a_conflict_names_both_sides_and_a_known_good_edition(tmp_path: Path) -> None:
    log = FAILURES / "resolution_impossible.pip-conflict.log"
    text = envguard("explain", log, home=tmp_path).out
    assert "you want ai-edge-litert==2.1.4" in text
    assert "ai-edge-quantizer==0.10.0 wants ai-edge-litert==2.3.0" in text
    assert "known-good: quantize 0.10 " in text
    document = envguard("explain", log, "--json", home=tmp_path).document
    assert document["conflict"]["package"] == "ai-edge-litert"
    assert document["ways_out"][0]["environment"] == "quantize"


def test_a_log_that_is_not_there_is_bad_input(tmp_path: Path) -> None:
    assert envguard("explain", tmp_path / "none", home=tmp_path).code == 2


def test_control_characters_of_a_log_reach_no_terminal(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"\x1b]0;owned\x07\x08No space left on device\x9b1m\n")
    out = envguard("explain", log, home=tmp_path).out
    assert not [char for char in out if not char.isprintable() and char != "\n"]


LOADED = """
import sys
from envguard.__main__ import main
sys.argv = ["envguard", "explain", sys.argv[1]]
main()
print("loaded", *sorted(set(sys.modules) & {"typer", "rich", "docker", "uv", "envguard.cli.app"}))
"""


def test_an_answer_waits_for_nothing_that_takes_longer_to_import_than_itself() -> None:
    log = FAILURES / "resolution_impossible.pip-conflict.log"
    ended = subprocess.run(
        [sys.executable, "-I", "-c", LOADED, str(log)], capture_output=True, text=True, encoding="utf-8", check=True
    )
    assert ended.stdout.splitlines()[-1] == "loaded"
