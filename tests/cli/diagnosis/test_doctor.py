"""`envguard doctor`, `report-bug`, and the diagnosis under an error, as a user meets them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.command import envguard
from tests.support.projects import trusted


def make_half_built(home: Path) -> Path:
    folder = home / "environments" / "quantize-0.10-cp311-0123456789abcdef"
    (folder / "venv").mkdir(parents=True)
    return folder


def test_a_healthy_host_ends_with_zero_and_shows_notes(tmp_path: Path) -> None:
    ended = envguard("doctor", "--offline", home=tmp_path, PYTHONPATH="/nowhere")
    assert ended.code == 0, ended.out
    assert "PYTHONPATH is set" in ended.out
    assert "Healthy;" in ended.out


def test_one_json_document_says_the_same(tmp_path: Path) -> None:
    make_half_built(tmp_path)
    ended = envguard("doctor", "--offline", "--json", home=tmp_path)
    assert ended.code == 1
    assert ended.document["healthy"] is False
    (found,) = [each for each in ended.document["findings"] if each["level"] == "finding"]
    assert found["check"] == "store"
    assert found["remedy"] == "envguard doctor --fix"


def test_fix_lists_first_and_does_nothing_unless_it_is_told_to(tmp_path: Path) -> None:
    folder = make_half_built(tmp_path)
    ended = envguard("doctor", "--offline", "--fix", home=tmp_path)
    assert ended.code == 1
    assert folder.name in ended.err
    assert "Nothing was changed" in ended.err
    assert folder.exists()
    ended = envguard("doctor", "--offline", "--fix", "--yes", home=tmp_path)
    assert ended.code == 0, ended.err
    assert not folder.exists()


def test_fix_is_for_what_is_envguards_own(tmp_path: Path) -> None:
    assert envguard("doctor", "--python", tmp_path, "--fix", home=tmp_path).code == 2


def test_what_is_no_environment_is_bad_input(tmp_path: Path) -> None:
    assert envguard("doctor", "--python", tmp_path, home=tmp_path).code == 2


def test_an_environment_whose_python_is_gone_is_a_finding_with_commands(tmp_path: Path) -> None:
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    (tmp_path / "venv" / "lib" / "python3.11" / "site-packages").mkdir(parents=True)
    (tmp_path / "venv" / "pyvenv.cfg").write_text(f"home = {tmp_path / 'gone'}\n")
    (tmp_path / "venv" / "bin" / "python").symlink_to(tmp_path / "gone" / "python3.11")
    ended = envguard("doctor", "--python", tmp_path / "venv", "--json", home=tmp_path)
    assert ended.code == 1, ended.err
    (found,) = ended.document["findings"]
    assert found["check"] == "base Python"
    shown = envguard("doctor", "--python", tmp_path / "venv" / "bin" / "python", home=tmp_path)
    assert shown.code == 1, shown.err
    assert all(f"$ {command}" in shown.out for command in found["commands"])
    assert found["commands"][0].startswith("rm -f ")


def test_a_report_is_one_file_without_secrets(tmp_path: Path) -> None:
    report = tmp_path / "report.md"
    ended = envguard("report-bug", "--output", report, home=tmp_path / "store", COMPANY_TOKEN="hunter2hunter2")
    assert ended.code == 0, ended.err
    text = report.read_text(encoding="utf-8")
    assert "# envguard bug report" in text
    assert "COMPANY_TOKEN" in text
    assert "hunter2hunter2" not in text
    assert str(Path.home()) + "/" not in text


PROJECT = """
schema = 1
[tasks.fail]
summary = "fails"
[[tasks.fail.steps]]
name = "fails"
environment = "samples"
command = ["python", "fail.py"]
outputs = { made = "made.txt" }
[tasks.fail.outputs]
made = "fails:made"
"""


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "known"),
    [
        ("import tensorflow.lite.tools", "known: module_missing: tensorflow is not installed"),
        ("raise SystemExit('No space left on device')", "known: no_space: "),
        ("raise SystemExit('nobody has ever seen this')", "known: No known cause matches."),
        # Only in the log: what is quoted under the message are its last lines.
        ("print('OSError: [Errno 28] No space left on device'); print('x\\n' * 99); raise SystemExit(1)", "no_space"),
    ],
)
def test_the_diagnosis_stands_under_a_failed_steps_message(
    tmp_path: Path, store_home: Path, script: str, known: str
) -> None:
    (tmp_path / "envguard.toml").write_text(PROJECT)
    (tmp_path / "fail.py").write_text(script + "\n")
    trusted(tmp_path)
    ended = envguard("run", "fail", "-o", tmp_path / "made.txt", home=store_home, cwd=tmp_path)
    assert ended.code == 1, ended.err
    assert "The whole log: " in ended.err
    assert known in ended.err


def test_errors_of_usage_get_no_diagnosis(tmp_path: Path) -> None:
    ended = envguard("run", "quantize", tmp_path / "none.task", home=tmp_path)
    assert ended.code == 2
    assert "known:" not in ended.err
    assert "report-bug" not in ended.err


@pytest.mark.network
def test_an_install_that_cannot_reach_the_index_says_what_to_do(tmp_path: Path) -> None:
    ended = envguard(
        "create", "samples", "--json", home=tmp_path, HTTPS_PROXY="http://127.0.0.1:9", UV_HTTP_RETRIES="0", NO_PROXY=""
    )
    assert ended.code == 3, ended.err
    assert "known: proxy: " in ended.err
    assert json.loads(ended.out)["hints"][0]["rule"] == "proxy"
