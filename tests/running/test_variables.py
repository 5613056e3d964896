"""A command is given the variables that its step names, no other, and no secret of theirs is written anywhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from envguard.errors import BadInput, StepFailed
from envguard.host.interpreters import HostFacts
from envguard.planning import minor_of
from envguard.running.pipeline import TaskResult
from envguard.running.receipt import make_receipt
from envguard.running.receipts.reading import receipt_from
from envguard.running.task_order import TaskOrder
from envguard.trust.allowing import standing_of
from envguard.trust.changes import what_it_does
from envguard.trust.records import record_path
from tests.support.projects import catalog_of, shop_of, trusted, write_project
from tests.support.tasks import run_on

TELL = """
    import json, os, sys
    from pathlib import Path
    Path(sys.argv[1]).write_text(json.dumps({"variables": dict(os.environ), "arguments": sys.argv[2:]}))
    print("the token is", os.environ.get("API_TOKEN"))
    sys.exit(int(os.environ.get("CODE", "0")))
"""
TASK = """
    [tasks.work]
    summary = "work"
    output = "tell:out"
    [[tasks.work.steps]]
    name = "tell"
    environment = "one"
    command = ["python", "tell.py", "{output.out}"%s]
    outputs = { out = "out.json" }
"""
SECRET = "correct-horse-battery"


@pytest.fixture(scope="module")
def python(host: HostFacts) -> str:
    return minor_of(host.usable[0])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store for this file's bare environments."""
    return tmp_path_factory.mktemp("home")


def project_with(folder: Path, python: str, settings: str, arguments: str = "", env_file: str = "") -> Path:
    files = {"tell.py": TELL, **({"dev.env": env_file} if env_file else {})}
    return write_project(folder / "project", python, TASK % arguments + settings, files)


def told(project: Path, home: Path, environ: dict[str, str]) -> tuple[dict[str, str], list[str], TaskResult]:
    """The variables and arguments that the step saw, and the result."""
    shop = shop_of(project, home, environ)
    target = project.parent / "out.json"
    result = run_on(shop.catalog.tasks["work"], {}, target, shop)
    said = json.loads(target.read_text())
    return said["variables"], said["arguments"], result


def test_a_step_is_given_the_variables_that_it_names_and_no_other(tmp_path: Path, home: Path, python: str) -> None:
    settings = """
        pass-env = ["API_TOKEN", "NOT_SET"]
        env-file = "dev.env"
        env = { ADDRESS = "https://${HOST}/?key=${API_TOKEN}", PLAIN = "$${HOST}" }
    """
    env_file = "# where it is\n\nHOST = api.example\nQUOTED='a b'\nAPI_TOKEN=of-the-file\nSPELT=a=$HOME\n"
    project = project_with(tmp_path, python, settings, ', "${HOST}:$${X}", "${ADDRESS}"', env_file)
    variables, arguments, result = told(project, home, {"API_TOKEN": SECRET, "OTHER": "x"})
    assert variables["API_TOKEN"] == SECRET
    assert variables["ADDRESS"] == f"https://api.example/?key={SECRET}"
    assert (variables["QUOTED"], variables["SPELT"], variables["PLAIN"]) == ("a b", "a=$HOME", "${HOST}")
    assert not {"OTHER", "NOT_SET"} & variables.keys()
    assert arguments == ["api.example:${X}", f"https://api.example/?key={SECRET}"]
    assert result.handed_over["tell"].outside.variables == {
        "HOST": True, "QUOTED": True, "API_TOKEN": True, "SPELT": True, "NOT_SET": False
    }  # fmt: skip


def test_no_secret_is_in_the_receipt_the_log_or_the_record_of_trust(tmp_path: Path, home: Path, python: str) -> None:
    settings = 'pass-env = ["API_TOKEN"]\nenv-file = "dev.env"\n'
    project = project_with(tmp_path, python, settings, env_file="DATABASE_PASSWORD=hunter2-and-more\n")
    _, _, result = told(project, home, {"API_TOKEN": SECRET})
    order = TaskOrder(catalog_of(project).tasks["work"], {}, tmp_path / "out.json")
    receipt = make_receipt(order, result, {})
    assert json.loads(receipt.text())["steps"][0]["variables"] == {"DATABASE_PASSWORD": True, "API_TOKEN": True}
    assert receipt_from(json.loads(receipt.text()), "r").as_json() == receipt.as_json()
    logs = [path for path in home.rglob("*") if path.is_file() and b"the token is" in path.read_bytes()]
    trusted(project)
    for text in (receipt.text(), *(path.read_text() for path in logs), record_path(project).read_text()):
        assert SECRET not in text
        assert "hunter2" not in text
    assert logs
    assert all("the token is ****" in path.read_text() for path in logs)


def test_a_failure_shows_no_secret(tmp_path: Path, home: Path, python: str) -> None:
    project = project_with(tmp_path, python, 'pass-env = ["API_TOKEN", "CODE"]\n')
    with pytest.raises(StepFailed, match="ended with exit code 3") as caught:
        told(project, home, {"API_TOKEN": SECRET, "CODE": "3"})
    assert "the token is ****" in str(caught.value.why)
    assert SECRET not in str(caught.value.why)


@pytest.mark.parametrize("settings", ['env = { A = "x${MISSING}" }\n', 'pass-env = ["MISSING"]\n'])
def test_a_variable_that_is_not_set_is_named_with_its_step(
    tmp_path: Path, home: Path, python: str, settings: str
) -> None:
    argument = "" if settings.startswith("env =") else ', "${MISSING}"'
    project = project_with(tmp_path, python, settings, argument)
    with pytest.raises(BadInput, match="The step 'tell' needs the variable MISSING, which is not set") as caught:
        told(project, home, {})
    how = 'pass-env = ["MISSING"]' if settings.startswith("env =") else "`export MISSING`"
    assert how in str(caught.value.next_step)
    assert not (tmp_path / "out.json").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [("export A=1", "a variable that a step may be given"), ("A", "KEY=VALUE"), ("UV_INDEX=secret", "an installer")],
)
def test_a_line_that_is_no_variable_is_named_and_not_repeated(
    tmp_path: Path, home: Path, python: str, content: str, said: str
) -> None:
    project = project_with(tmp_path, python, 'env-file = "dev.env"\n', env_file=f"B=1\n{content}\n")
    with pytest.raises(BadInput, match=r"dev\.env, line 2, cannot be used") as caught:
        told(project, home, {})
    assert said in str(caught.value.why)
    assert "secret" not in str(caught.value)


def test_a_file_of_variables_that_is_missing_is_named(tmp_path: Path, home: Path, python: str) -> None:
    project = project_with(tmp_path, python, 'env-file = "dev.env"\n')
    with pytest.raises(BadInput, match=r"cannot be read from dev\.env"):
        told(project, home, {})


def test_who_trusts_a_project_sees_what_it_hands_on_and_is_asked_when_the_file_changes(
    tmp_path: Path, python: str
) -> None:
    project = project_with(tmp_path, python, 'pass-env = ["API_TOKEN"]\nenv-file = "dev.env"\n', env_file="A=1\n")
    shown = what_it_does(catalog_of(project))
    assert "hands it your variable API_TOKEN" in shown
    assert "the variables of dev.env" in shown
    (project / "dev.env").write_text("A=2\n")
    standing = standing_of(catalog_of(project))
    assert standing is not None
    assert [str(each) for each in standing.changed] == ["~ dev.env"]
