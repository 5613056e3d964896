"""A secret is masked in everything that is printed or written, however it was given and however it is spelled."""

from __future__ import annotations

import base64
import json
import textwrap
from collections.abc import Mapping
from pathlib import Path

import pytest

from envguard.host.secrets import MASK, hashed_if_secret, without_secrets
from tests.support.command import envguard
from tests.support.projects import bare, trusted, write_project
from tests.support.tiny import PYTHON

INDEX = "UV_DEFAULT_INDEX"
BASIC = base64.b64encode(b"u:Sec1Sec1").decode()

GIVEN: dict[str, tuple[Mapping[str, str], str, tuple[str, ...]]] = {
    "@ in a password": ({INDEX: "https://u:p@ssw0rd@h/simple"}, "https://u:p@ssw0rd@h/simple/six/", ("ssw0rd",)),
    "/ in a password": ({INDEX: "https://u:pa/ssw0rd@h/simple"}, "https://u:pa/ssw0rd@h/simple", ("ssw0rd",)),
    "? and # in a password": ({INDEX: "https://u:pa?s#w0rd@h/"}, "said pa?s#w0rd", ("pa?s", "w0rd")),
    "several @": ({INDEX: "https://a@b:c@d3fgh@h/"}, "https://a@b:c@d3fgh@h/ and c@d3fgh", ("d3fgh",)),
    "a parameter": ({INDEX: "https://h/simple?token=QTOK3N99"}, "https://h/six/?token=QTOK3N99", ("QTOK3N99",)),
    "a parameter alone": ({INDEX: "https://h/?x=1;sig=QTOK3N99"}, "was QTOK3N99", ("QTOK3N99",)),
    "a path": ({INDEX: "https://h/PATHTOK3N/simple"}, "https://h/PATHTOK3N/simple/six/", ("PATHTOK3N",)),
    "a named index": ({"UV_INDEX": "x=https://h/PATHTOK3N/simple"}, "404 for /PATHTOK3N/", ("PATHTOK3N",)),
    "a path without digits": ({INDEX: "https://h/AbcdefGhijkl/"}, "https://h/AbcdefGhijkl/", ("AbcdefGhijkl",)),
    "a short password": ({INDEX: "https://u:abc@h/simple"}, "password abc", ("password abc",)),
    "a user without password": ({INDEX: "https://glpat-TOKENUSER@h/"}, "for glpat-TOKENUSER", ("TOKENUSER",)),
    "an encoded password": ({INDEX: "https://u:p%2Fw%40rd@h/"}, "p/w@rd", ("p/w@rd",)),
    "a password to encode": ({"DB_PASSWORD": "p/w@rd é"}, "p%2Fw%40rd%20%C3%A9 p%2Fw%40rd+%C3%A9", ("p%2Fw",)),
    "several": (
        {"UV_EXTRA_INDEX_URL": "https://a:Sec1Sec1@h/ https://b:Sec2Sec2@h/"},
        "Sec2Sec2 Sec1Sec1",
        ("Sec1Sec1", "Sec2Sec2"),
    ),
    "several with commas": (
        {"MY_URLS": "https://a:Sec1Sec1@h/,https://b:Sec2Sec2@h/"},
        "Sec2Sec2 Sec1Sec1",
        ("Sec1Sec1", "Sec2Sec2"),
    ),
    "a user of an index": ({"UV_INDEX_PRIV_USERNAME": "tokUSERuser"}, "as tokUSERuser", ("tokUSERuser",)),
    "a basic header": ({INDEX: "https://u:Sec1Sec1@h/"}, f"sent {BASIC}", (BASIC.rstrip("="),)),
    "a header of nobody's": ({}, f"Proxy-Authorization: Basic {BASIC}", (BASIC.rstrip("="),)),
    "a proxy without scheme": ({"HTTPS_PROXY": "me:Sec1Sec1@proxy:3128"}, "Sec1Sec1 me:Sec1Sec1@p", ("Sec1Sec1",)),
    "JSON": ({INDEX: 'https://u:a"b\\cdef@h/'}, json.dumps('a"b\\cdef'), ("b\\\\cdef",)),
    "JSON in JSON": ({"A_TOKEN": 'a"b\\cdef'}, json.dumps(json.dumps('a"b\\cdef')), ("cdef",)),
    "Python": ({"MY_TOKEN": "ab'cd\"ef"}, repr("ab'cd\"ef"), ("cd",)),
    "broken by a terminal": (
        {INDEX: "https://u:LongSecretValue1@h/"},
        "u:LongSecret\n  Value1@h",
        ("LongSecret", "Value1"),
    ),
    **{
        f"the name {name}": ({name: "akey99999"}, "akey99999", ("akey99999",))
        for name in (
            "X_AUTH",
            "GPG_PASSPHRASE",
            "ACCESS_KEY",
            "SIGNING_KEY",
            "GITHUB_PAT",
            "DB_PASS",
            "MY_PWD",
            "SESSION",
        )
    },
}


@pytest.mark.parametrize("case", GIVEN)
def test_a_secret_is_masked_however_it_was_given(case: str) -> None:
    environ, said, secrets = GIVEN[case]
    shown = without_secrets(f"error: {said}", environ)
    assert shown.startswith("error: ")
    assert MASK in shown
    assert [each for each in secrets if each in shown] == []


@pytest.mark.parametrize(
    "said",
    [
        "Because numpy==2.2.6 depends on Python>=3.10 and you require numpy, your requirements are unsatisfiable.",
        "https://index.example/simple/numpy/ answered 404",
        "git+https://host.example/team/project@main",
        "http://localhost:8080/team/project@main",
        "simple user admin true /home/me/.Xauthority x11 ubuntu tmp",
        "made by Jane Doe in /home/me/work, not /home/me/before, with /home/me/tokens",
    ],
)
def test_what_is_no_secret_stays(said: str) -> None:
    environ = {
        "UV_DEFAULT_INDEX": "https://user:admin@index.example/simple",
        "XDG_SESSION_TYPE": "x11",
        "DESKTOP_SESSION": "ubuntu",
        "XAUTHORITY": "/home/me/.Xauthority",
        "MY_AUTH": "true",
        "PWD": "/home/me/work",
        "OLDPWD": "/home/me/before",
        "GIT_AUTHOR_NAME": "Jane Doe",
        "TOKENIZERS_CACHE": "/home/me/tokens",
        "PATH": "/home/me/bin",
    }
    assert without_secrets(said, environ) == said


@pytest.mark.timeout(30)  # 2 s where it was written
def test_masking_a_long_hostile_text_takes_no_time_to_speak_of() -> None:
    environ = {f"TOKEN_{number}": f"{number}" + "a" * 400 for number in range(20)}
    without_secrets("a" * 100_000 + "://" * 20_000 + "a:@" * 20_000 + "\n" * 20_000, environ)


def test_a_step_is_told_to_have_a_secret_by_its_hash_alone() -> None:
    assert hashed_if_secret("TIMES", "2") == "2"
    assert hashed_if_secret("LC_ALL", "C.UTF-8") == "C.UTF-8"
    for name, value in (
        ("API_TOKEN", "hunter2hunter2"),
        ("WHERE", "https://u:pa/ss@h/"),
        ("", "--password=hunter2"),
        ("X", "ghp_0123456789abcdefghijABCDEFGHIJ012345"),
    ):
        stored = hashed_if_secret(name, value)
        assert stored.startswith("sha256:")
        assert value not in stored
        assert stored == hashed_if_secret(name, value) != hashed_if_secret(name, value + "x")


SECRETS = ("pa/ssW0rd", "QTOK3N99", "PATHTOK3N", "tokUSERuser", "passPHRASE9", "hunter2hunter2")
ENVIRON = {
    "UV_DEFAULT_INDEX": "http://u:pa/ssW0rd@127.0.0.1:9/PATHTOK3N/simple?token=QTOK3N99",
    "UV_INDEX_PRIV_USERNAME": "tokUSERuser",
    "GPG_PASSPHRASE": "passPHRASE9",
    "UV_HTTP_RETRIES": "0",
    "UV_HTTP_TIMEOUT": "5",
}
FAILING = """
    [tasks.fail]
    summary = "Prints what it was given, and fails"
    output = "fail:made"
    [[tasks.fail.steps]]
    name = "fail"
    environment = "one"
    command = ["python", "fail.py", "{input.source}"]
    inputs = { source = "task:source" }
    outputs = { made = "made.txt" }
    env = { DOOR_CODE_SECRET = "hunter2hunter2" }
"""


def leaks(*texts: str) -> list[str]:
    return [secret for secret in SECRETS for text in texts if secret in text]


def test_no_command_prints_a_secret(tmp_path: Path) -> None:
    script = "import os; raise SystemExit('sent ' + os.environ['DOOR_CODE_SECRET'])\n"
    project = write_project(tmp_path / "project", PYTHON, FAILING, {"fail.py": script})
    text = (project / "envguard.toml").read_text() + bare("wanting", PYTHON).replace("[]", '["six==1.17.0"]')
    (project / "envguard.toml").write_text(textwrap.dedent(text))
    trusted(project)
    report, home = tmp_path / "report.md", tmp_path / "home"
    commands = (
        ("lock", "wanting"),
        ("--debug", "lock", "wanting"),
        ("run", "fail", project / "fail.py", "-o", tmp_path / "out"),
        ("run", "fail", project / "fail.py", "-o", tmp_path / "out", "--json"),
        ("doctor",),
        ("doctor", "--json"),
        ("report-bug", "--output", report),
        ("--debug", "exec", "missing", "--", "passPHRASE9"),
        ("list", "passPHRASE9"),
    )
    for command in commands:
        ended = envguard(*command, home=home, cwd=project, **ENVIRON)
        assert leaks(ended.out, ended.err) == [], (command, ended)
        if command[0] in ("lock", "run"):
            assert MASK in ended.err + ended.out, (command, ended)
    assert leaks(report.read_text()) == []


def test_a_log_is_explained_without_its_secrets(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("GET https://u:pa/ssW0rd@h/six: No space left on device\n")
    for options in ((), ("--json",)):
        ended = envguard("explain", log, *options, home=tmp_path)
        assert leaks(ended.out, ended.err) == []
        assert "no_space" in ended.out
        assert "h/six" in ended.out


def test_a_receipt_holds_the_hash_of_a_steps_secret(tmp_path: Path) -> None:
    script = "import os, sys; open(sys.argv[1], 'w').write(str(len(os.environ['DOOR_CODE_SECRET'])))\n"
    text = FAILING.replace("{input.source}", "{output.made}")
    project = write_project(tmp_path / "project", PYTHON, text, {"fail.py": script})
    output = tmp_path / "out"
    ended = envguard("run", "fail", project / "fail.py", "-o", output, home=tmp_path / "home", cwd=project)
    assert ended.code == 0, ended
    assert output.read_text() == "14"
    receipt = tmp_path / "out.receipt.json"
    assert leaks(receipt.read_text()) == []
    (step,) = json.loads(receipt.read_text())["steps"]
    assert step["env"]["DOOR_CODE_SECRET"].startswith("sha256:")
    ended = envguard("verify-receipt", receipt, "--rebuild", "-i", "fail.py", home=tmp_path / "home", cwd=project)
    assert (ended.code, leaks(ended.out, ended.err)) == (0, []), ended
