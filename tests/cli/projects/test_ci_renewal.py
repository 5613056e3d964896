"""`envguard ci github --renew`: the workflow follows the schema, and its shell lines propose what was found alone."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from check_jsonschema.builtin_schemas import get_builtin_schema
from jsonschema import Draft7Validator
from ruamel.yaml import YAML

from envguard.host.interpreters import HostFacts
from tests.support.command import Ended, envguard
from tests.support.editions import project as tools
from tests.support.local_index import make_authority, make_wheel, serving

CHECKOUT = Path(__file__).resolve().parents[3]
IDENTITY = ("-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "init.defaultBranch=main")
# Stands in for GitHub's program, whose other end no test has: it keeps what it is asked, and has no open pull requests.
GH = '#!/bin/sh\nprintf "%s\\n" "$*" >> "$ASKED"\n'


def ci(*arguments: str, cwd: Path) -> Ended:
    return envguard("ci", "github", "--renew", *arguments, home=cwd / "no-store", cwd=cwd)


def read(text: str) -> dict[str, Any]:
    document: dict[str, Any] = YAML(typ="safe", pure=True).load(text)
    validator = Draft7Validator(get_builtin_schema("vendor.github-workflows"))
    assert [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)] == []
    return document


def git(folder: Path, *arguments: str | Path) -> str:
    run = subprocess.run(["git", *IDENTITY, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return run.stdout


class Workflow:
    """A project in a folder of a repository, its workflow, and a machine that runs that workflow's shell lines."""

    def __init__(self, folder: Path, host: HostFacts, environ: dict[str, str], store: Path) -> None:
        self.folder, self.origin = folder, folder / "origin"
        work = folder / "work"
        (work / "tools").mkdir(parents=True)
        (work / "README").write_text("A repository.\n")
        tools(work / "tools", host, one="six==1.16.0")
        git(work, "init", "-q")
        self.jobs = read(ci("--install", "true", cwd=work / "tools").out)["jobs"]
        git(work, "add", "--all")
        git(work, "commit", "-q", "-m", "A project")
        git(folder, "clone", "-q", "--bare", work, self.origin)
        programs, self.temporary = folder / "bin", folder / "temporary"
        programs.mkdir()
        self.temporary.mkdir()
        for name, text in (("gh", GH), ("envguard", f'#!/bin/sh\nexec "{sys.executable}" -I -m envguard "$@"\n')):
            (programs / name).write_text(text)
            (programs / name).chmod(0o755)
        path = f"{programs}{os.pathsep}{os.environ['PATH']}"
        self.environ = {**os.environ, **environ, "PATH": path, "CI": "true", "ENVGUARD_HOME": str(store)}
        self.environ |= {"RUNNER_TEMP": str(self.temporary), "ASKED": str(folder / "asked")}

    def run(self, job: str) -> subprocess.CompletedProcess[str]:
        """The shell lines of a job in a fresh clone, each step as GitHub starts it."""
        clone = self.folder / job
        git(self.folder, "clone", "-q", self.origin, clone)
        where = clone / self.jobs[job].get("defaults", {}).get("run", {}).get("working-directory", ".")
        variables = self.environ | {"ENVGUARD_PROJECT": str(clone / "tools")}
        lines = [step["run"] for step in self.jobs[job]["steps"] if "run" in step]
        for line in lines:
            ended = subprocess.run(["bash", "-e", "-c", line], cwd=where, env=variables, capture_output=True, text=True)
            assert ended.returncode == 0, ended
        return ended

    @property
    def asked(self) -> str:
        """What GitHub's program was asked."""
        asked = self.folder / "asked"
        return asked.read_text() if asked.exists() else ""


@pytest.fixture
def workflow(tmp_path: Path, store_home: Path, host: HostFacts) -> Iterator[Workflow]:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    make_wheel(wheels, "six", "1.16.0")
    authority = make_authority(tmp_path)
    with serving(wheels, authority) as index:
        environ = {"UV_DEFAULT_INDEX": index.url(), "SSL_CERT_FILE": str(authority.certificate)}
        yield Workflow(tmp_path, host, environ, store_home)


def test_what_is_new_is_proposed_as_a_pull_request(workflow: Workflow) -> None:
    make_wheel(workflow.folder / "wheels", "six", "1.17.0")
    said = workflow.run("renew").stdout
    assert "six 1.17.0: the new edition 1.17.0, preferred to one" in said
    workflow.run("propose")
    changed = git(workflow.origin, "diff", "--name-only", "main", "envguard-renewal").split()
    assert changed[0] == "tools/envguard.toml"
    assert all(re.fullmatch(r"tools/lockfiles/tools/1\.17\.0/(cp3\d+\.txt|proofs\.json)", each) for each in changed[1:])
    assert len(changed) >= 3
    asked = workflow.asked.splitlines()
    assert asked[0].startswith("pr list --head envguard-renewal --state open")
    assert asked[1].startswith("pr create --head envguard-renewal --title Renew environments --body-file ")
    body = (workflow.temporary / "body.md").read_text()
    assert body.splitlines() == [f"    {line}" for line in said.splitlines()]


def test_nothing_is_proposed_where_nothing_is_newer(workflow: Workflow) -> None:
    workflow.run("renew")
    assert "Nothing to propose." in workflow.run("propose").stdout
    assert workflow.asked == ""


def test_a_release_cannot_propose_a_change_of_other_files(workflow: Workflow) -> None:
    make_wheel(workflow.folder / "wheels", "six", "1.17.0", code="raise ImportError('broken')")
    said = workflow.run("renew").stdout
    assert "known not to work" in said
    clone = workflow.folder / "renew"
    (clone / "README").write_text("Other words.\n")
    (clone / ".github" / "workflows").mkdir(parents=True)
    (clone / ".github" / "workflows" / "mine.yml").write_text("on: push\n")
    git(clone, "add", "--all", "README", ".github")
    (workflow.temporary / "renewal.patch").write_text(git(clone, "diff", "--cached", "--binary"))
    workflow.run("propose")
    changed = git(workflow.origin, "diff", "--name-only", "main", "envguard-renewal").split()
    assert "tools/envguard.toml" in changed
    assert not {"README", ".github/workflows/mine.yml"} & set(changed)


def test_the_job_that_runs_new_code_has_no_rights_and_the_other_runs_none_of_it(workflow: Workflow) -> None:
    renew, propose = workflow.jobs["renew"], workflow.jobs["propose"]
    assert "permissions" not in renew, "what the whole workflow has: to read"
    assert renew["steps"][0]["with"] == {"persist-credentials": False}
    assert propose["permissions"] == {"contents": "write", "pull-requests": "write"}
    assert not any("envguard " in step.get("run", "") for step in propose["steps"])


def test_envguards_own_checkout_renews_its_own_catalog_on_every_python() -> None:
    ended = ci(cwd=CHECKOUT)
    assert ended.code == 0, ended.err
    renew = read(ended.out)["jobs"]["renew"]
    pythons = renew["steps"][1]["with"]["python-version"].split()
    assert {"3.10", "3.11", "3.12", "3.13"} <= set(pythons)
    assert pythons[-1] != "3.9", "envguard itself runs on the last one"
    assert "make host" in renew["steps"][2]["run"]
    assert "git add --all -- envguard/catalog/builtin.toml lockfiles" in renew["steps"][3]["run"]


def test_it_runs_no_task_and_needs_something_to_renew(tmp_path: Path) -> None:
    assert "--renew runs no task." in envguard("ci", "github", "quantize", "--renew", home=tmp_path, cwd=tmp_path).err
    ended = ci("--install", "true", cwd=tmp_path)
    assert (ended.code, "There is nothing to renew here." in ended.err) == (2, True)
