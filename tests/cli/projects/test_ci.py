"""`envguard ci`: what it writes follows the published schemas, and its shell lines work in a fresh clone."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from check_jsonschema.builtin_schemas import get_builtin_schema
from jsonschema import Draft7Validator
from ruamel.yaml import YAML

from envguard.host.interpreters import HostFacts
from envguard.planning import minor_of
from tests.support.command import Ended, envguard
from tests.support.projects import write_project

SCHEMAS = {"github": "vendor.github-workflows", "gitlab": "vendor.gitlab-ci"}
CHECKOUT = Path(__file__).resolve().parents[3]
INSTALL = "true"
TASK = """
    [tasks.copy]
    summary = "copy a file"
    output = "do:copied"
    [[tasks.copy.steps]]
    name = "do"
    environment = "one"
    command = ["python", "steps/do.py", "{input.file}", "{output.copied}"]
    inputs = { file = "task:file" }
    outputs = { copied = "deep/copied.txt" }

    [tasks.two]
    summary = "two inputs, two outputs"
    outputs = { a = "do:a", b = "do:b" }
    [[tasks.two.steps]]
    name = "do"
    environment = "two"
    command = ["python", "steps/do.py", "{input.x}", "{output.a}"]
    inputs = { x = "task:x", y = "task:y" }
    outputs = { a = "a.txt", b = "b.txt" }

    [tasks.tell]
    summary = "an output called as a report is"
    output = "do:report"
    [[tasks.tell.steps]]
    name = "do"
    environment = "one"
    command = ["python", "steps/do.py", "{input.file}", "{output.report}"]
    inputs = { file = "task:file" }
    outputs = { report = "report.json" }
"""
DO = "import sys; open(sys.argv[2], 'wb').write(open(sys.argv[1], 'rb').read())"
HOSTILE = [
    "two words.txt",
    "it's $(touch pwned); `id`.txt",
    "line\nbreak.txt",
    "#x: y.txt",
    "-rf.txt",
    "日本.txt",
    "a=b.txt",
]


@pytest.fixture
def project(tmp_path: Path, host: HostFacts) -> Path:
    """A repository with a project below its top."""
    python = next(minor_of(each) for each in host.usable if tuple(map(int, minor_of(each).split("."))) >= (3, 10))
    folder = write_project(tmp_path / "repo" / "tools", python, TASK, {"steps/do.py": DO, "data/in.txt": "content"})
    git(tmp_path / "repo", "init", "-q")
    return folder


def git(folder: Path, *arguments: str | Path) -> None:
    identity = ("-c", "user.name=x", "-c", "user.email=x@example.com")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True)


def ci(system: str, *arguments: str | Path, cwd: Path, install: str = INSTALL) -> Ended:
    return envguard("ci", system, *arguments, "--install", install, home=cwd / "no-store", cwd=cwd)


def read(text: str) -> dict[str, Any]:
    document: dict[str, Any] = YAML(typ="safe", pure=True).load(text)
    return document


def check_schema(system: str, document: Mapping[str, Any]) -> None:
    schema = get_builtin_schema(SCHEMAS[system])
    assert [f"{error.json_path}: {error.message}" for error in Draft7Validator(schema).iter_errors(document)] == []


def shell_lines(system: str, document: Mapping[str, Any]) -> list[str]:
    if system == "github":
        return [step["run"] for step in document["jobs"]["envguard"]["steps"] if "run" in step]
    return [line for part in ("before_script", "script", "after_script") for line in document["envguard"][part]]


@pytest.mark.parametrize("system", SCHEMAS)
@pytest.mark.parametrize(
    "arguments", [(), ("quantize", "sample:face_landmarker", "sample:hand_landmarker")], ids=["default", "two models"]
)
def test_workflows_for_quantizing_follow_the_schema(tmp_path: Path, system: str, arguments: tuple[str, ...]) -> None:
    ended = ci(system, *arguments, cwd=tmp_path)
    assert ended.code == 0, ended.err
    document = read(ended.out)
    check_schema(system, document)
    lines = "\n".join(shell_lines(system, document))
    assert re.search(r"^envguard lock --check .*quantize", lines, re.M)
    assert "--report envguard-out/report.md" in lines
    target = "envguard-out" if arguments else "envguard-out/face_landmarker.int8.task"
    assert f"-o {target} " in lines


@pytest.mark.parametrize("system", SCHEMAS)
def test_no_file_name_breaks_out(project: Path, system: str) -> None:
    for name in HOSTILE:
        (project / name).write_text("content")
    ended = ci(system, "quantize", *(f"./{name}" for name in HOSTILE), cwd=project)
    assert ended.code == 0, ended.err
    document = read(ended.out)
    check_schema(system, document)
    (line,) = (each for each in shell_lines(system, document) if "envguard --trust run" in each)
    command = "".join(line.partition("envguard --trust run")[1:])
    shell = subprocess.run(
        ["bash", "-c", f'envguard() {{ printf "%s\\0" "$@"; }}\n{command}'],
        cwd=project, check=True, capture_output=True, text=True,
    )  # fmt: skip
    given = [f"./{name}" if name.startswith("-") else name for name in HOSTILE]
    expected = ["--trust", "run", "quantize", *given, "-o", "envguard-out", "--report", "envguard-out/report.md"]
    assert shell.stdout.split("\0")[:-1] == expected
    assert not list(project.rglob("pwned"))


def test_inputs_go_by_name_and_several_outputs_into_the_folder(project: Path) -> None:
    ended = ci("gitlab", "two", "y=data/in.txt", "x=steps/do.py", cwd=project)
    line = next(each for each in read(ended.out)["envguard"]["script"] if "envguard --trust run" in each)
    assert line == (
        "envguard --trust run two --input y=data/in.txt --input x=steps/do.py -o envguard-out --json"
        " > envguard-out/report.json"
    )


def test_output_and_report_are_two_files(project: Path) -> None:
    ended = ci("gitlab", "tell", "data/in.txt", cwd=project)
    line = next(each for each in read(ended.out)["envguard"]["script"] if "envguard --trust run" in each)
    assert line.endswith("-o envguard-out/report.json --json > envguard-out/report-run.json")


def test_what_github_would_take_for_an_expression_is_refused(project: Path) -> None:
    (project / "${{ secrets.X }}.txt").touch()
    assert ci("github", "copy", "${{ secrets.X }}.txt", cwd=project).code == 2
    assert ci("gitlab", "copy", "${{ secrets.X }}.txt", cwd=project).code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("no-such",), "no task"),
        (("copy", "no-such.txt"), "not a file of the repository"),
        (("copy", "/etc/passwd"), "not a file of the repository"),
        (("copy",), "needs file"),
        (("two", "x=data/in.txt"), "needs x, y"),
        (("quantize", "sample:no-such"), "There is no sample 'no-such'"),
    ],
)
def test_what_cannot_be_run_is_refused(project: Path, arguments: tuple[str, ...], said: str) -> None:
    ended = ci("gitlab", *arguments, cwd=project)
    assert ended.code == 2
    assert said in ended.err
    assert ended.out == ""


def test_a_folder_that_ci_would_read_as_a_pattern_is_refused(project: Path) -> None:
    odd = project.rename(project.with_name("to*ols"))
    ended = ci("gitlab", "copy", "data/in.txt", cwd=odd)
    assert ended.code == 2
    assert "A workflow cannot name the folder" in ended.err


def test_how_envguard_is_installed_must_be_said_outside_its_checkout(project: Path) -> None:
    ended = envguard("ci", "github", "copy", "data/in.txt", home=project, cwd=project)
    assert ended.code == 2
    assert "--install" in ended.err
    assert "****" not in ended.err
    inside = envguard("ci", "github", home=project, cwd=CHECKOUT)
    assert inside.code == 0, inside.err
    assert "make host\n" in inside.out


def test_a_file_is_written_over_only_by_force(project: Path) -> None:
    target = project / ".github" / "workflows" / "envguard.yml"
    first = ci("github", "copy", "data/in.txt", "-o", target, cwd=project)
    assert first.code == 0, first.err
    assert target.read_text(encoding="utf-8") == ci("github", "copy", "data/in.txt", cwd=project).out
    assert [path.name for path in target.parent.iterdir()] == ["envguard.yml"]
    target.write_text("mine")
    assert ci("github", "copy", "data/in.txt", "-o", target, cwd=project).code == 2
    assert target.read_text() == "mine"
    assert ci("github", "copy", "data/in.txt", "-o", target, "--force", cwd=project).code == 0
    assert target.read_text() != "mine"


def test_the_key_changes_with_a_lock_and_with_nothing_else(project: Path) -> None:
    def key(task: str) -> str:
        return envguard("ci", "key", task, home=project, cwd=project).out.strip()

    before = key("copy")
    assert re.fullmatch(r"[0-9a-f]{32}", before)
    (project / "steps" / "do.py").write_text("pass")
    assert key("copy") == before
    assert key("two") != before
    (lock,) = (project / "lockfiles" / "one").rglob("*.txt")
    lock.write_text(lock.read_text().replace("cut-off: 2026-11-20", "cut-off: 2026-11-21"))
    assert key("copy") != before


@dataclass
class Runner:
    """Does what a runner does with the shell lines and the cache of a workflow, in a clone."""

    clone: Path
    cache: Path
    variables: dict[str, str] = field(default_factory=dict)
    path: list[str] = field(default_factory=list)
    said: str = ""

    def run(self, script: str, folder: Path) -> None:
        files = {name: self.cache.parent / name for name in ("GITHUB_OUTPUT", "GITHUB_PATH")}
        for file in files.values():
            file.write_text("")
        path = os.pathsep.join([*self.path, os.environ["PATH"]])
        shell = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=folder,
            env={
                **os.environ, **self.variables, **{name: str(file) for name, file in files.items()},
                "PATH": path, "CI": "true",
            },
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
        )  # fmt: skip
        self.said += shell.stdout + shell.stderr
        assert shell.returncode == 0, f"{script}\n{self.said}"
        self.path += files["GITHUB_PATH"].read_text().splitlines()
        self.variables |= dict(line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text().splitlines())

    def github(self, document: Mapping[str, Any]) -> None:
        """As GitHub does; its cache is tar with `--posix`."""
        job = document["jobs"]["envguard"]
        self.variables |= {name: self.filled(value) for name, value in job["env"].items()}
        folder = self.clone / job["defaults"]["run"]["working-directory"]
        for step in job["steps"]:
            if "run" in step:
                self.run(step["run"], folder)
            elif step["uses"].startswith("actions/cache@"):
                cached, key = step["with"]["path"], self.filled(step["with"]["key"])
                archive = self.cache / f"{key}.tar"
                if archive.exists():
                    subprocess.run(["tar", "-xf", archive, "-C", self.clone], check=True)
        if not archive.exists():
            subprocess.run(["tar", "--posix", "-cf", archive, "-C", self.clone, cached], check=True)

    def gitlab(self, document: Mapping[str, Any]) -> None:
        """As GitLab does: the first two parts in one shell, the last in another; of cached files no exact times."""
        job = document["envguard"]
        self.variables |= {"CI_PROJECT_DIR": str(self.clone)}
        self.variables |= {name: self.filled(value) for name, value in job["variables"].items()}
        (packed,) = job["cache"]["paths"]
        archive = self.cache / job["cache"]["key"]
        if archive.exists():
            (self.clone / packed).write_bytes(archive.read_bytes())
        self.run("\n".join([*job["before_script"], *job["script"]]), self.clone)
        self.run("\n".join(job["after_script"]), self.clone)
        archive.write_bytes((self.clone / packed).read_bytes())

    def filled(self, text: str) -> str:
        """The text with expressions and variables put in."""
        known = {
            "github.workspace": str(self.clone),
            "runner.os": "Linux",
            "runner.arch": "X64",
            "steps.python.outputs.python-version": "3.x",
            "steps.locks.outputs.key": self.variables.get("key", ""),
        }
        text = re.sub(r"\$\{\{ (.*?) \}\}", lambda found: known[found[1]], text)
        return text.replace("$CI_PROJECT_DIR", str(self.clone))


@pytest.fixture
def command(tmp_path: Path) -> Path:
    """A folder with an `envguard` in it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "envguard").write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -m envguard "$@"\n')
    (folder / "envguard").chmod(0o755)
    return folder


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.parametrize("system", SCHEMAS)
def test_the_shell_lines_work_in_a_fresh_clone_and_find_their_cache(
    tmp_path: Path, project: Path, command: Path, system: str
) -> None:
    line = {"github": f'echo "{command}" >> "$GITHUB_PATH"', "gitlab": f'export PATH="{command}:$PATH"'}[system]
    document = read(ci(system, "copy", "data/in.txt", cwd=project, install=line).out)
    check_schema(system, document)
    git(project, "add", "--all")
    git(project, "commit", "-q", "-m", "A project")
    cache, clone = tmp_path / "cache", tmp_path / "clone"
    cache.mkdir()
    for is_first in (True, False):
        git(tmp_path, "clone", "-q", project.parent, clone)
        runner = Runner(clone, cache)
        runner.github(document) if system == "github" else runner.gitlab(document)
        kept = clone / "tools" / "envguard-out"
        assert sorted(path.name for path in kept.iterdir()) == ["copied.txt", "copied.txt.receipt.json", "report.json"]
        assert json.loads((kept / "report.json").read_text(encoding="utf-8"))["verdict"] == "yes"
        assert (kept / "copied.txt").read_text() == "content"
        assert ("building one" in runner.said) == is_first
        assert "unchanged" in runner.said
        shutil.rmtree(clone)
    assert len(list(cache.iterdir())) == 1
