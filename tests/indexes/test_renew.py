"""`envguard renew` with an index on this machine: what counts as newer, what is written, and what is never chosen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from envguard.host.interpreters import HostFacts
from envguard.planning import minor_of
from tests.support.command import Ended, envguard
from tests.support.local_index import make_authority, make_wheel, serving, yank
from tests.support.projects import trusted

CATALOG = """\
# Ours.
schema = 1

[environments.tools]
summary = "a thing and its helper"
pythons = {pythons}
check = "checks.imports"
check-options = {{ modules = ["private_thing"] }}

# Proved on our machines.
[environments.tools.editions.first]
requirements = [
  "private-thing==1.0",  # the thing
]
"""
KILLED = """\
import os, signal, sys
import envguard.files as files, envguard.running.environments.keeping as keeping
write = files.write_record
def write_and_be_killed(path, content):
    if path.name == {name!r}:
        os.kill(os.getpid(), signal.SIGKILL)
    write(path, content)
keeping.write_record = write_and_be_killed
from envguard.__main__ import main
sys.argv = ["envguard", "renew"]
main()
"""


class Project:
    """A project that pins release 1.0 of a package, of which the index may have others."""

    def __init__(self, folder: Path, pythons: list[str], wheels: Path, home: Path, environ: dict[str, str]) -> None:
        self.folder, self.pythons, self.wheels, self.home, self.environ = folder, pythons, wheels, home, environ

    def release(self, version: str, code: str = "") -> Path:
        return make_wheel(self.wheels, "private_thing", version, code=code)

    def run(self, *arguments: str, **environ: str) -> Ended:
        return envguard(*arguments, home=self.home, cwd=self.folder, **{**self.environ, **environ})

    def renew(self, *options: str, **environ: str) -> Ended:
        return self.run("renew", *options, **environ)

    @property
    def files(self) -> dict[str, bytes]:
        """Every file of the project."""
        found = (path for path in sorted(self.folder.rglob("*")) if path.is_file())
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in found}

    @property
    def chosen(self) -> str:
        """The edition that a plan chooses."""
        rows = {row["name"]: row for row in self.run("list", "--json").document["environments"]}
        return str(rows["tools"]["edition"])


@pytest.fixture
def project(tmp_path: Path, store_home: Path, host: HostFacts) -> Iterator[Project]:
    wheels, folder = tmp_path / "wheels", tmp_path / "project"
    wheels.mkdir()
    folder.mkdir()
    pythons = list(dict.fromkeys(minor_of(each) for each in host.usable))[:2]
    (folder / "envguard.toml").write_text(CATALOG.format(pythons=json.dumps(pythons)), encoding="utf-8")
    authority = make_authority(tmp_path)
    with serving(wheels, authority) as index:
        environ = {"UV_DEFAULT_INDEX": index.url(), "SSL_CERT_FILE": str(authority.certificate)}
        made = Project(trusted(folder), pythons, wheels, store_home, environ)
        made.release("1.0")
        ended = made.run("prove", "--all-pythons")
        assert ended.code == 0, ended.err
        yield made


def releases(ended: Ended) -> list[tuple[str, str]]:
    (environment,) = ended.document["environments"]
    return [(each["version"], each["state"]) for each in environment["releases"]]


def test_where_nothing_is_newer_it_says_so_and_writes_nothing(project: Project) -> None:
    before = project.files
    ended = project.renew()
    assert (ended.code, ended.out) == (0, "tools: private-thing 1.0 is the newest release\n")
    assert project.files == before


def test_a_newer_release_is_locked_proved_and_preferred(project: Project) -> None:
    project.release("1.0.post1")
    project.release("1.1")
    before = project.files
    tried = project.renew("--dry-run")
    assert tried.code == 0, tried
    assert "private-thing 1.1: the new edition 1.1, preferred to first" in tried.out
    assert "Nothing was written" in tried.out
    assert project.files == before
    ended = project.renew("--json")
    assert ended.code == 0, ended
    assert releases(ended) == [("1.1", "works")]
    (environment,) = ended.document["environments"]
    assert environment["written"][-1] == "envguard.toml"
    (old,), (new,) = environment["before"]["environments"], environment["after"]["environments"]
    assert {cell["edition"] for cell in old["cells"]} == {"first"}
    assert {(cell["edition"], cell["state"]) for cell in new["cells"]} == {
        ("first", "known-good"),
        ("1.1", "known-good"),
    }
    after = project.files
    assert {name: content for name, content in after.items() if name in before and name != "envguard.toml"} == {
        name: content for name, content in before.items() if name != "envguard.toml"
    }
    text, old_text = after["envguard.toml"].decode(), before["envguard.toml"].decode()
    head, tail = old_text.split("# Proved on our machines.")
    assert text.startswith(head)
    assert text.endswith("# Proved on our machines." + tail)
    assert 'requirements = ["private-thing==1.1"]' in text
    assert project.chosen == "1.1"
    assert project.run("lock", "--check").code == 0
    shown = project.run("matrix", "tools", "--json").document["environments"]
    assert shown == environment["after"]["environments"]
    assert project.renew().out == "tools: private-thing 1.1 is the newest release\n"


def test_yanked_releases_never_count_and_pre_releases_only_where_asked_for(project: Project) -> None:
    yank(project.release("1.2"))
    project.release("1.3rc1")
    assert project.renew().out == "tools: private-thing 1.0 is the newest release\n"
    ended = project.renew("--pre", "--dry-run", "--json")
    assert ended.code == 0, ended
    assert releases(ended) == [("1.3rc1", "works")]


def test_a_release_whose_check_fails_is_on_record_and_never_chosen(project: Project) -> None:
    project.release("1.1")
    project.release("1.2", "raise ImportError('its native part is missing')")
    ended = project.renew("--json")
    assert ended.code == 1, ended
    assert releases(ended) == [("1.2", "known-bad"), ("1.1", "works")]
    assert project.chosen == "1.1"
    matrix = project.run("matrix", "tools").out
    assert "its native part is missing" in matrix
    text = project.files["envguard.toml"].decode()
    assert text.index('editions."1.1"') < text.index("editions.first") < text.index('editions."1.2"')
    assert '[environments.tools.editions."1.2"]\noffered = false\n' in text
    again = project.renew()
    assert (again.code, again.out) == (
        0,
        "tools: private-thing 1.1 is the newest release but for what is known not to work: 1.2\n",
    )


def test_a_release_that_lacks_a_python_of_the_present_one_is_written_but_not_preferred(project: Project) -> None:
    if len(project.pythons) < 2:
        pytest.skip("this host has one Python")
    newest = max(int(python.partition(".")[2]) for python in project.pythons)
    project.release("1.1", f"import sys\nassert sys.version_info < (3, {newest}), 'too new for it'")
    ended = project.renew()
    assert ended.code == 0, ended
    assert f"the new edition 1.1, after first: it is not known to work on Python 3.{newest}" in ended.out
    assert project.chosen == "first"


def test_what_the_newer_release_needs_newer_is_pinned_newer(project: Project) -> None:
    make_wheel(project.wheels, "helper", "1.0")
    make_wheel(project.wheels, "helper", "2.0")
    project.release("1.1", "import helper\nassert helper.version == '2.0'")
    file = project.folder / "envguard.toml"
    file.write_text(file.read_text().replace('"private-thing==1.0",', '"private-thing==1.0", "helper==1.0",'))
    trusted(project.folder)
    ended = project.renew("--json")
    assert ended.code == 0, ended
    (release,) = ended.document["environments"][0]["releases"]
    assert release["requirements"] == ["private-thing==1.1", "helper==2.0"]


def test_an_index_that_cannot_be_reached_is_one_error_and_changes_nothing(project: Project) -> None:
    before = project.files
    ended = project.renew("--json", UV_DEFAULT_INDEX="https://localhost:1/simple", UV_HTTP_RETRIES="0")
    assert ended.code == 3, ended
    assert ended.document["error"] == "The package index could not be asked for newer releases of private-thing."
    assert ended.document["next"].startswith("Check the network")
    assert project.files == before


def test_an_untrusted_project_asks_no_index_and_writes_nothing(project: Project) -> None:
    project.release("1.1")
    file = project.folder / "envguard.toml"
    file.write_text(file.read_text() + "# somebody else was here\n")
    before = project.files
    ended = project.renew()
    assert ended.code == 2
    assert "has changed since you trusted it" in ended.err
    assert project.files == before


@pytest.mark.parametrize("name", ["cp3", "envguard.toml"])
def test_killed_halfway_it_has_written_nothing_that_counts(project: Project, name: str) -> None:
    project.release("1.1")
    before = project.files
    minor = next(path.name for path in (project.folder / "lockfiles").rglob("cp3*.txt"))
    script = KILLED.format(name=minor if name == "cp3" else name)
    variables = {**os.environ, **project.environ, "ENVGUARD_HOME": str(project.home)}
    run = subprocess.run([sys.executable, "-c", script], cwd=project.folder, env=variables, capture_output=True)
    assert run.returncode == -9, run
    left = project.files
    assert {each: left[each] for each in before} == before
    assert (project.renew("--dry-run").code, project.chosen) == (0, "first")
    assert project.run("lock", "--check").code == 0
    ended = project.renew()
    assert ended.code == 0, ended
    assert project.chosen == "1.1"
    assert not list(project.folder.rglob("*.part"))


def test_a_catalog_that_gets_the_same_edition_meanwhile_is_left_as_it_is(project: Project) -> None:
    file = project.folder / "envguard.toml"
    table = '\n[environments.tools.editions."1.1"]\nrequirements = ["private-thing==1.1"]\n'
    last = project.pythons[-1]
    # The check of the new release on the last Python is what happens meanwhile.
    code = f"import sys\nif '%d.%d' % sys.version_info[:2] == {last!r}:\n    open({str(file)!r}, 'a').write({table!r})"
    project.release("1.1", code)
    before = project.files
    ended = project.renew()
    assert ended.code == 2, ended
    assert "The catalog changed while tools was renewed" in ended.err
    assert project.files.keys() == before.keys()
    assert file.read_text().startswith(before["envguard.toml"].decode() + table)


def free(project: Project) -> None:
    """Have the edition pin nothing."""
    file = project.folder / "envguard.toml"
    file.write_text(file.read_text().replace('"private-thing==1.0"', '"private-thing>=1,<2"'))
    trusted(project.folder)
    for command in (("lock",), ("prove", "--all-pythons")):
        ended = project.run(*command)
        assert ended.code == 0, ended


def test_an_edition_without_pins_gets_new_locks_that_work(project: Project) -> None:
    free(project)
    assert project.renew().out == "tools: private-thing 1.0 is the newest release\n"
    project.release("1.1")
    project.release("2.0")
    before = project.files
    ended = project.renew("--json")
    assert ended.code == 0, ended
    (release,) = ended.document["environments"][0]["releases"]
    assert (release["version"], release["edition"], release["replaces_locks"]) == ("1.1", "first", True)
    after = project.files
    assert after.keys() == before.keys()
    assert after["envguard.toml"] == before["envguard.toml"]
    assert all(b"private-thing==1.1 " in text for name, text in after.items() if name.endswith(".txt"))
    cells = project.run("matrix", "tools", "--json").document["environments"][0]["cells"]
    assert {cell["state"] for cell in cells} == {"known-good"}
    assert project.chosen == "first"


def test_new_locks_that_do_not_work_everywhere_are_not_written(project: Project) -> None:
    free(project)
    project.release("1.1", f"import sys\nassert '%d.%d' % sys.version_info[:2] != {project.pythons[-1]!r}, 'not here'")
    before = project.files
    ended = project.renew()
    assert ended.code == 1, ended
    said = f"private-thing 1.1: no new locks: it is not known to work on Python {project.pythons[-1]}"
    assert said in ended.out
    assert project.files == before


def test_killed_between_two_locks_each_of_them_has_its_proof(project: Project) -> None:
    free(project)
    project.release("1.1")
    name = f"cp{project.pythons[-1].replace('.', '')}.txt"
    variables = {**os.environ, **project.environ, "ENVGUARD_HOME": str(project.home)}
    run = subprocess.run(
        [sys.executable, "-c", KILLED.format(name=name)], cwd=project.folder, env=variables, capture_output=True
    )
    assert run.returncode == -9, run
    cells = project.run("matrix", "tools", "--json").document["environments"][0]["cells"]
    assert {cell["state"] for cell in cells} == {"known-good"}
    trusted(project.folder)
    assert project.renew().code == 0
    assert all(b"private-thing==1.1 " in text for each, text in project.files.items() if each.endswith(".txt"))
