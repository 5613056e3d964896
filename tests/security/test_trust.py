"""Nothing of a project runs, and nothing that it sets counts, before its user has allowed exactly what it says."""

from __future__ import annotations

import json
import os
import shutil
import stat
from pathlib import Path

import pytest

from envguard.host.interpreters import HostFacts
from envguard.planning import minor_of
from envguard.trust.records import record_path, records_folder
from tests.support.command import Ended, envguard
from tests.support.projects import trusted, write_project
from tests.support.terminal import envguard_on_terminal

TASK = """
[tasks.copy]
summary = "copy a text"
output = "copy:out"

[[tasks.copy.steps]]
name = "copy"
environment = "one"
command = ["python", "steps/copy.py", "{input.text}", "{input.more}", "{output.out}"]
inputs = { text = "task:text", more = "file:data/more.txt" }
outputs = { out = "out.txt" }
"""
SCRIPTS = {
    "steps/copy.py": "import sys, helper\nopen(sys.argv[3], 'w').write(helper.whole(sys.argv[1:3]))\n",
    "steps/helper.py": "def whole(names):\n    return ''.join(open(name).read() for name in names)\n",
    "data/more.txt": "more",
}
RUN = ("run", "copy", "in.txt", "-o", "out.txt")
EXEC = ("exec", "one", "--", "python", "-c", "print('ran')")
ACTS = {
    "create": ("create", "one"),
    "setup": ("setup",),
    "path": ("path", "one"),
    "run": RUN,
    "exec": EXEC,
    "prove": ("prove", "one"),
}
LOOKS = {
    "list": ("list",),
    "probe": ("probe",),
    "matrix": ("matrix",),
    "explain": (*RUN, "--explain"),
    "export": ("export", "one", "--format", "requirements"),
    "lock": ("lock", "one", "--check"),
    "ci": ("ci", "github", "copy", "in.txt", "--install", "true"),
}


@pytest.fixture
def project(tmp_path: Path, host: HostFacts) -> Path:
    """A project that nobody trusts yet."""
    folder = write_project(tmp_path / "project", minor_of(host.usable[0]), TASK, SCRIPTS)
    (folder / "in.txt").write_text("text, ")
    record_path(folder).unlink()
    return folder


def refused(ended: Ended) -> bool:
    said = "is not trusted yet." in ended.err or "has changed since you trusted it." in ended.err
    return ended.code == 2 and said and "`envguard trust`" in ended.err and "ran" not in ended.out


@pytest.mark.parametrize("act", ACTS)
def test_nothing_of_an_untrusted_project_runs_or_is_built(
    project: Path, store_home: Path, tmp_path: Path, act: str
) -> None:
    for arguments in (ACTS[act], ("--project", str(project), *ACTS[act])):
        ended = envguard(*arguments, home=tmp_path / "home", cwd=project)
        assert refused(ended), ended
        assert "steps/copy.py" in ended.err, "it says what would run"
    assert not (tmp_path / "home" / "environments").exists()
    assert not (project / "out.txt").exists()
    assert not list(project.rglob("proofs.json"))
    trusted(project)
    assert envguard(*ACTS[act], home=store_home, cwd=project).code == 0


@pytest.mark.parametrize("look", LOOKS)
def test_an_untrusted_project_can_be_looked_at(project: Path, store_home: Path, look: str) -> None:
    ended = envguard(*LOOKS[look], home=store_home, cwd=project)
    assert ended.code == 0, ended
    assert not record_path(project).exists()


def test_the_built_in_catalog_is_trusted_in_an_untrusted_project(project: Path, store_home: Path) -> None:
    ended = envguard("exec", "pip", "--", "python", "-c", "print('ran')", home=store_home, cwd=project)
    assert ended.out == "ran\n", ended.err


CHANGES = {
    "the catalog": ("envguard.toml", "a bare Python", "a bare snake"),
    "a script": ("steps/copy.py", "import sys", "import sys, os"),
    "what a script imports": ("steps/helper.py", "join", "join  "),
    "a file that a step names": ("data/more.txt", "more", "less"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_asks_again_and_says_what_changed(project: Path, store_home: Path, change: str) -> None:
    trusted(project)
    assert envguard(*RUN, home=store_home, cwd=project).code == 0
    name, old, new = CHANGES[change]
    file = project / name
    before = file.read_text()
    assert old in before
    file.write_text(before.replace(old, new))
    ended = envguard(*RUN, home=store_home, cwd=project)
    assert refused(ended), ended
    assert f"~ {name}" in ended.err
    shown = envguard("trust", "--show", home=store_home, cwd=project)
    assert shown.code == 1
    changed = {line.strip()[0] for line in shown.out.splitlines() if line.strip()[:1] in ("+", "-")}
    assert changed == {"+", "-"}, shown.out
    file.write_text(before)
    os.utime(file)
    assert envguard(*RUN, home=store_home, cwd=project).code == 0, "the content counts, not the time"


def test_what_is_new_where_a_step_imports_from_asks_too(project: Path, store_home: Path) -> None:
    for name in ("json.py", "shutil.cpython-311-x86_64-linux-gnu.so", "os.pyc", "package/__init__.py", "linked"):
        trusted(project)
        place = project / "steps" / name
        place.parent.mkdir(exist_ok=True)
        if name == "linked":
            (project / "elsewhere").mkdir()
            (project / "elsewhere" / "module.py").write_text("")
            place.symlink_to(project / "elsewhere")
        else:
            place.write_text("")
        ended = envguard(*RUN, home=store_home, cwd=project)
        assert refused(ended), ended
        assert f"+ steps/{'linked/module.py' if name == 'linked' else name}" in ended.err


def test_another_lock_asks_too_but_not_what_envguard_wrote(project: Path, store_home: Path) -> None:
    trusted(project)
    locked = envguard("lock", "one", "--cut-off", "2026-11-22T00:00:00Z", home=store_home, cwd=project)
    assert "written" in locked.out, locked
    assert envguard(*EXEC, home=store_home, cwd=project).out == "ran\n"
    assert envguard("prove", "one", home=store_home, cwd=project).code == 0
    assert envguard(*EXEC, home=store_home, cwd=project).out == "ran\n"
    (lock,) = (project / "lockfiles" / "one").rglob("cp3*.txt")
    lock.write_text(lock.read_text().replace("2026-11-22", "2026-11-23"))
    ended = envguard(*EXEC, home=store_home, cwd=project)
    assert refused(ended), ended
    assert f"~ {lock.relative_to(project)}" in ended.err


def test_locking_does_not_trust_what_nobody_did(project: Path, store_home: Path) -> None:
    trusted(project)
    (project / "steps" / "copy.py").write_text("print('other')")
    assert envguard("lock", "one", "--cut-off", "2026-11-22T00:00:00Z", home=store_home, cwd=project).code == 0
    ended = envguard(*EXEC, home=store_home, cwd=project)
    assert refused(ended), ended
    assert "~ steps/copy.py" in ended.err


def test_what_init_wrote_is_trusted_and_nothing_beside_it(tmp_path: Path, store_home: Path) -> None:
    assert envguard("init", tmp_path, home=store_home).code == 0
    assert envguard("trust", "--show", tmp_path, home=store_home).code == 0
    planted = tmp_path / "lockfiles" / "pages" / "2" / "cp311.txt"
    planted.parent.mkdir(parents=True)
    planted.write_text("# envguard lock 1\n")
    assert envguard("trust", "--show", tmp_path, home=store_home).code == 1


def test_an_untrusted_project_builds_no_package(project: Path, store_home: Path) -> None:
    catalog = project / "envguard.toml"
    text = catalog.read_text(encoding="utf-8")
    catalog.write_text(text.replace("requirements =", 'build = ["docopt"]\nrequirements =', 1), encoding="utf-8")
    ended = envguard("lock", "one", home=store_home, cwd=project)
    assert refused(ended)
    assert "builds from source, for one: docopt" in ended.err


def test_a_copy_elsewhere_and_a_link_to_it_are_other_projects(project: Path, store_home: Path, tmp_path: Path) -> None:
    trusted(project)
    copy, link = tmp_path / "copy", tmp_path / "link"
    shutil.copytree(project, copy)
    assert refused(envguard(*EXEC, home=store_home, cwd=copy))
    link.symlink_to(project)
    assert envguard(*EXEC, home=store_home, cwd=link).out == "ran\n", "the same folder under another name"


def test_a_record_moved_to_another_project_allows_nothing(project: Path, store_home: Path, tmp_path: Path) -> None:
    trusted(project)
    copy = tmp_path / "copy"
    shutil.copytree(project, copy)
    shutil.copy(record_path(project), record_path(copy))
    assert refused(envguard(*EXEC, home=store_home, cwd=copy))


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", "null", "[" * 100_000, '{"schema": 1}', '{"schema": 1, "files": 3}']
)
def test_a_damaged_record_allows_nothing(project: Path, store_home: Path, content: str) -> None:
    record_path(project).write_text(content)
    assert refused(envguard(*EXEC, home=store_home, cwd=project))


def test_records_are_the_users_alone(project: Path, store_home: Path) -> None:
    trusted(project)
    assert stat.S_IMODE(record_path(project).stat().st_mode) == 0o600
    assert not record_path(project).is_relative_to(project)
    folder = records_folder()
    folder.chmod(0o777)
    try:
        ended = envguard(*EXEC, home=store_home, cwd=project)
        assert (ended.code, ended.out) == (2, "")
        assert f"every user can write to {folder}" in ended.err
    finally:
        folder.chmod(0o700)


def test_what_is_trusted_is_listed_and_can_be_taken_back(project: Path, store_home: Path) -> None:
    given = envguard("trust", home=store_home, cwd=project / "steps")
    assert given.code == 0
    assert "runs, for the task copy: python steps/copy.py" in given.out
    assert f"{project}: trusted, 6 files" in given.out
    assert envguard(*EXEC, home=store_home, cwd=project).out == "ran\n"
    listed = envguard("trust", "--list", "--json", home=store_home).document["projects"]
    assert {"project": str(project), "state": "trusted"}.items() <= next(
        each for each in listed if each["project"] == str(project)
    ).items()
    assert envguard("trust", "--revoke", project, home=store_home).out == f"{project}: no longer trusted\n"
    assert refused(envguard(*EXEC, home=store_home, cwd=project)), "also what is ready is not run any more"
    assert envguard("trust", "--revoke", project, home=store_home).out == f"{project}: was not trusted\n"
    shutil.rmtree(project)
    assert str(project) not in envguard("trust", "--list", home=store_home).out


def test_on_a_terminal_one_key_is_enough_and_the_command_goes_on(project: Path, store_home: Path) -> None:
    no = envguard_on_terminal(*EXEC, home=store_home, cwd=project, keys="n")
    assert no.code == 2
    assert not record_path(project).exists()
    yes = envguard_on_terminal(*EXEC, home=store_home, cwd=project, keys="y", columns=120)
    assert yes.code == 0, yes.raw
    assert any("runs, for the task copy: python steps/copy.py" in line for line in yes.lines)
    assert yes.lines[-1] == "ran"
    assert envguard(*EXEC, home=store_home, cwd=project).out == "ran\n"
    (project / "steps" / "copy.py").write_text("print('other')\n")
    again = envguard_on_terminal(*RUN, home=store_home, cwd=project, keys="n", columns=120)
    assert any("print('other')" in line for line in again.lines), "the difference is shown"
    assert again.code == 2


def test_a_long_change_hides_nothing_and_its_characters_do_nothing(project: Path, store_home: Path) -> None:
    trusted(project)
    (project / "steps" / "copy.py").write_text("# \x1b[2J\u202e\r hidden\n" + "x = 1\n" * 1000 + "import evil\n")
    (project / "steps" / "zzz.py").write_text("import evil\n")
    asked = envguard_on_terminal(*RUN, home=store_home, cwd=project, keys="n", columns=120)
    assert "+ steps/zzz.py" in asked.lines
    assert any("more lines, which `envguard trust --show` prints" in line for line in asked.lines)
    assert "\x1b[2J" not in asked.raw
    assert "\u202e" not in asked.raw
    whole = envguard("trust", "--show", home=store_home, cwd=project)
    assert whole.out.count("+import evil") == 2
    assert not {"\x1b", "\u202e"} & set(whole.out)


def test_ci_says_so_on_the_command_line(project: Path, store_home: Path) -> None:
    assert envguard("--trust", *EXEC, home=store_home, cwd=project, CI="true").out == "ran\n"
    assert refused(envguard(*EXEC, home=store_home, cwd=project, CI="true")), "the variable alone allows nothing"
    assert refused(envguard(*EXEC, home=store_home, cwd=project, CI="true", ENVGUARD_TRUST="1"))
    without = envguard("--trust", *EXEC, home=store_home, cwd=project, CI="")
    assert without.code == 2
    assert "--trust works only in CI" in without.err
    assert not record_path(project).exists()


def test_the_refusal_is_a_document_where_json_is_asked_for(project: Path, store_home: Path) -> None:
    ended = envguard("create", "one", "--json", home=store_home, cwd=project)
    assert ended.code == 2
    assert json.loads(ended.out)["error"].endswith("is not trusted yet.")


def test_what_a_project_sets_counts_only_once_it_is_trusted(project: Path, store_home: Path) -> None:
    text = (project / "envguard.toml").read_text()
    setting = (
        '[index]\nurl = "http://127.0.0.1:9/simple"\nproxy = "http://127.0.0.1:9"\n[image]\nbase = "evil:latest"\n'
    )
    (project / "envguard.toml").write_text(text.replace("schema = 1\n", f"schema = 1\n{setting}"))
    for command in (("lock", "one"), ("lock", "one", "--check"), ("lock",)):
        ended = envguard(*command, home=store_home, cwd=project)
        assert refused(ended), ended
        assert "sets the proxy for packages: http://127.0.0.1:9" in ended.err
    assert envguard("list", home=store_home, cwd=project).code == 0
