"""Steps hand files on by hash, each in its own environment; what a step must not do is noticed and named."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from envguard.errors import BadInput, NoEnvironment, StepFailed
from envguard.host.interpreters import HostFacts
from envguard.planning import minor_of
from envguard.running.pipeline import TaskResult
from tests.support.projects import shop_of, write_project
from tests.support.tasks import run_on
from tests.support.waiting import wait_until, wait_until_gone

COPY = """
    import sys
    from pathlib import Path
    Path(sys.argv[2]).write_bytes(Path(sys.argv[1]).read_bytes() + b" copied")
"""
ONE_STEP = """
    [tasks.work]
    summary = "work"
    output = "do:out"
    [[tasks.work.steps]]
    name = "do"
    environment = "one"
    command = {command}
    inputs = {{ file = "task:file" }}
    outputs = {{ out = "out.txt" }}
"""
DO = '["python", "do.py", "{input.file}", "{output.out}"]'


@pytest.fixture(scope="module")
def python(host: HostFacts) -> str:
    return minor_of(host.usable[0])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store for this file's bare environments."""
    return tmp_path_factory.mktemp("home")


def run(project: Path, home: Path, source: Path, target: Path, environ: dict[str, str] | None = None) -> TaskResult:
    shop = shop_of(project, home, environ)
    return run_on(shop.catalog.tasks["work"], {"file": source}, target, shop)


def one_step(tmp_path: Path, python: str, code: str, command: str = DO) -> Path:
    return write_project(tmp_path / "project", python, ONE_STEP.format(command=command), {"do.py": code})


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in put.txt"
    path.write_bytes(b"content")
    return path


def test_without_a_target_the_steps_run_and_nobody_gets_their_files(
    tmp_path: Path, home: Path, python: str, source: Path
) -> None:
    project = one_step(tmp_path, python, COPY)
    before = sorted(tmp_path.rglob("*"))
    shop = shop_of(project, home)
    result = run_on(shop.catalog.tasks["work"], {"file": source}, None, shop)
    assert (result.passed, dict(result.outputs), list(result.handed_over)) == (True, {}, ["do"])
    assert sorted(tmp_path.rglob("*")) == before


def test_files_go_from_step_to_step_by_hash(tmp_path: Path, home: Path, python: str, source: Path) -> None:
    text = """
        [tasks.work]
        summary = "work"
        outputs = { result = "second:out", middle = "first:made" }
        [[tasks.work.steps]]
        name = "first"
        environment = "one"
        command = ["python", "steps/copy.py", "{input.file}", "{output.made}"]
        inputs = { file = "task:file" }
        outputs = { made = "deep/made.txt" }
        [[tasks.work.steps]]
        name = "second"
        environment = "two"
        command = ["python", "steps/join.py", "{input.before}", "{input.fixed}", "{output.out}"]
        inputs = { before = "first:made", fixed = "file:data/fixed.txt" }
        outputs = { out = "out.txt" }
    """
    join = """
        import sys
        from pathlib import Path
        *inputs, output = map(Path, sys.argv[1:])
        output.write_bytes(b"+".join(path.read_bytes() for path in inputs))
        Path("extra.txt").write_text("nobody asked for it")
    """
    scripts = {"steps/copy.py": COPY, "steps/join.py": join, "data/fixed.txt": "fixed"}
    project = write_project(tmp_path / "project", python, text, scripts)
    result = run(project, home, source, tmp_path / "out")
    assert result.passed
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["made.txt", "out.txt"]
    assert (tmp_path / "out" / "out.txt").read_bytes() == b"content copied+fixed"
    made = hashlib.sha256(b"content copied").hexdigest()
    assert result.handed_over["first"].outputs["made"].sha256 == made
    assert [facts.sha256 for facts in result.handed_over["second"].inputs["before"]] == [made]
    assert result.outputs["middle"].sha256 == made
    assert result.inputs["file"][0].path == source
    assert not list((home / "runs").iterdir())


def test_a_step_imports_from_its_own_folder_and_sees_nothing_of_a_poisoned_host(
    tmp_path: Path, home: Path, python: str, source: Path
) -> None:
    poison = tmp_path / "poison"
    poison.mkdir()
    for module in ("helper", "sitecustomize", "usercustomize", "json"):
        (poison / f"{module}.py").write_text("raise SystemExit('poison was imported')\n")
    code = """
        import json, os, sys
        import helper
        with open(sys.argv[2], "w") as out:
            json.dump({"helper": helper.NAME, "prefix": sys.prefix, "environ": dict(os.environ), "path": sys.path}, out)
    """
    project = one_step(tmp_path, python, code)
    (project / "helper.py").write_text("NAME = 'ours'\n")
    environ = {
        "PATH": os.environ["PATH"],
        **{name: os.environ[name] for name in ("PYENV_ROOT",) if name in os.environ},  # where this host's Pythons are
        "PYTHONPATH": str(poison),
        "PYTHONHOME": str(poison),
        "PYTHONUSERBASE": str(poison),
        "LD_LIBRARY_PATH": str(poison),
        "AWS_SECRET_ACCESS_KEY": "secret",
    }
    run(project, home, source, tmp_path / "out.json", environ)
    seen = json.loads((tmp_path / "out.json").read_text())
    assert seen["helper"] == "ours"
    assert str(home / "environments") in seen["prefix"]
    assert seen["environ"]["PATH"].startswith(seen["prefix"])
    assert seen["environ"]["PYTHONNOUSERSITE"] == "1"
    assert not environ.keys() - {"PATH"} & seen["environ"].keys()
    assert not [path for path in seen["path"] if path.startswith(str(poison))]
    assert not list(project.rglob("__pycache__"))


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise SystemExit(7)", "ended with exit code 7"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "was ended by SIGSEGV"),
        ("", "its output 'out' (out.txt) is missing"),
        ("import os, sys; os.symlink('/etc/passwd', sys.argv[2])", "is not a regular file"),
        ("import os, sys; os.mkdir(sys.argv[2])", "is not a regular file"),
        (
            "import os, sys; os.chmod(sys.argv[1], 0o644); open(sys.argv[1], 'a').write('x'); open(sys.argv[2], 'w')",
            "changed its input in put.txt",
        ),
        ("import os, sys; os.unlink(sys.argv[1]); open(sys.argv[2], 'w')", "changed its input in put.txt"),
    ],
    ids=["exit code", "signal", "no output", "link", "folder", "changed input", "removed input"],
)
def test_what_a_step_must_not_do_is_named_and_nothing_is_left(
    tmp_path: Path, home: Path, python: str, source: Path, code: str, said: str
) -> None:
    project = one_step(tmp_path, python, f"print('said before the end', flush=True)\n{code}\n")
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(StepFailed) as caught:
        run(project, home, source, tmp_path / "out.txt")
    assert said in caught.value.what
    if "input" not in said:
        assert "said before the end" in caught.value.why
    assert caught.value.exit_code == 1
    assert source.read_bytes() == b"content"
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_arguments_are_never_read_by_a_shell(tmp_path: Path, home: Path, python: str, source: Path) -> None:
    code = "import sys; open(sys.argv[-1], 'w').write(repr(sys.argv[1:-1]))"
    command = """["python", "do.py", "$HOME; touch pwned", "*", "{x}", "--in={input.file}", "{output.out}"]"""
    run(one_step(tmp_path, python, code, command), home, source, tmp_path / "out.txt")
    first, star, braces, path = eval((tmp_path / "out.txt").read_text())  # noqa: S307 - our own repr
    assert (first, star, braces) == ("$HOME; touch pwned", "*", "{x}")
    assert path.startswith("--in=")
    assert path.endswith("in put.txt")


def test_a_script_that_is_missing_is_told_before_anything_is_built(tmp_path: Path, python: str, source: Path) -> None:
    project = one_step(tmp_path, python, "", '["python", "gone.py", "{input.file}", "{output.out}"]')
    with pytest.raises(BadInput, match=r"runs gone\.py, which does not exist"):
        run(project, tmp_path / "home", source, tmp_path / "out.txt")
    assert not (tmp_path / "home").exists()


def test_programs_of_the_host_are_not_used(tmp_path: Path, home: Path, python: str, source: Path) -> None:
    project = one_step(tmp_path, python, "", '["cp", "{input.file}", "{output.out}"]')
    with pytest.raises(BadInput, match="runs 'cp', which its environment 'one' does not have"):
        run(project, home, source, tmp_path / "out.txt")


def test_a_project_check_that_fails_is_no_environment(tmp_path: Path, python: str, source: Path) -> None:
    project = one_step(tmp_path, python, COPY)
    file = project / "envguard.toml"
    file.write_text(file.read_text().replace("assert not sys.flags.no_site", "sys.exit('it does not work')"))
    with pytest.raises(NoEnvironment, match="failed its check") as caught:
        run(project, tmp_path / "home", source, tmp_path / "out.txt")
    assert "it does not work" in caught.value.why


def test_outputs_do_not_land_on_an_input(tmp_path: Path, home: Path, python: str) -> None:
    text = """
        [tasks.work]
        summary = "work"
        outputs = { a = "do:a", b = "do:b" }
        [[tasks.work.steps]]
        name = "do"
        environment = "one"
        command = ["python", "-c", "open('a.txt', 'w'); open('b.txt', 'w')"]
        inputs = { file = "task:file" }
        outputs = { a = "a.txt", b = "b.txt" }
    """
    project = write_project(tmp_path / "project", python, text, {})
    source = tmp_path / "out" / "b.txt"
    source.parent.mkdir()
    source.write_text("mine")
    with pytest.raises(BadInput, match="is an input of the run"):
        run(project, home, source, source.parent)
    assert [path.name for path in source.parent.iterdir()] == ["b.txt"]
    assert source.read_text() == "mine"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent was killed")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_ended_run_leaves_no_command_behind(
    tmp_path: Path, home: Path, python: str, source: Path, number: signal.Signals
) -> None:
    code = f"""
        import os, time
        open({str(tmp_path / "pid.part")!r}, "w").write(str(os.getpid()))
        os.rename({str(tmp_path / "pid.part")!r}, {str(tmp_path / "pid")!r})
        time.sleep(600)
    """
    project = one_step(tmp_path, python, code)
    command = [sys.executable, "-I", "-m", "envguard", "run", "work", str(source), "-o", str(tmp_path / "out.txt")]
    environ = {**os.environ, "ENVGUARD_HOME": str(home), "ENVGUARD_PROJECT": str(project)}
    parent = subprocess.Popen(command, env=environ, stderr=subprocess.DEVNULL)
    wait_until((tmp_path / "pid").exists, parent)
    child = int((tmp_path / "pid").read_text())
    parent.send_signal(number)
    assert parent.wait() == {signal.SIGINT: 130, signal.SIGTERM: 143}.get(number, -number)
    wait_until_gone([child])
