"""Nothing secret leaves the machine in a report, however it is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from envguard.doctor.bug_report import bug_report
from envguard.doctor.finding import Finding
from envguard.doctor.masking import masked
from envguard.host.interpreters import HostFacts
from envguard.host.secrets import MASK
from envguard.store.scratch import logs_folder

HOME = Path("/home/marguerite")
SECRET = "s3cr3t-Value/with+odd=chars"


@pytest.mark.parametrize(
    "said",
    [
        f"https://user:{SECRET}@index.example/simple",
        f"https://{SECRET}@index.example/simple",
        f"Looking in indexes: https://__token__:{SECRET}@index.example/simple, https://other.example",
        f"http://proxy.example:8080/?token={SECRET}&x=1",
        f"--password={SECRET}",
        f"password: {SECRET}",
        f"'api_key': '{SECRET}'",
        f'"apiKey" = "{SECRET}"',
        f"Authorization: Bearer {SECRET}",
        f"authorization: Basic {SECRET} trailing {SECRET}",
        f"cookie: session={SECRET}; other={SECRET}",
        f"UV_INDEX_COMPANY_PASSWORD={SECRET}",
        f"AWS_SECRET_ACCESS_KEY={SECRET}",
    ],
)
def test_secrets_are_masked_by_the_form_that_they_stand_in(said: str) -> None:
    assert SECRET not in masked(said, {}, HOME)


@pytest.mark.parametrize(
    "token",
    [
        "pypi-AgEIcHlwaS5vcmcCJDAwMDAwMDAw",
        "ghp_0123456789abcdefghijABCDEFGHIJ012345",
        "github_pat_11ABCDEFG0123456789_abcdefghij",
        "glpat-0123456789abcdefghij",
        "AKIAIOSFODNN7EXAMPLE",
        "hf_abcdefghijklmnopqrstuvwx",
        "xoxb-123456789012-abcdefghijkl",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N",
    ],
)
def test_tokens_are_known_by_their_looks(token: str) -> None:
    assert token not in masked(f"said {token} here", {}, HOME)


@pytest.mark.parametrize("name", ["MY_TOKEN", "DB_PASSWORD", "PIP_PASSWD", "X_API_KEY", "SIGNING_PRIVATE", "AUTH"])
def test_values_of_telling_variables_are_masked_wherever_they_stand(name: str) -> None:
    value = "correct horse battery"
    assert value not in masked(f"error near {value}: no", {name: value}, HOME)


def test_parts_of_an_address_in_a_variable_are_masked_each_on_its_own() -> None:
    environ = {"UV_DEFAULT_INDEX": "https://deploy-user:pass%20word@index.example/simple"}
    said = masked("user deploy-user could not log in with pass%20word", environ, HOME)
    assert "deploy-user" not in said
    assert "pass%20word" not in said


def test_a_secret_of_several_lines_is_masked_line_by_line() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\n-----END KEY-----"
    assert "MIIEvQIBADANBgkq" not in masked("read MIIEvQIBADANBgkq from", {"TLS_PRIVATE_KEY": key}, HOME)


def test_a_secret_that_looks_like_a_pattern_is_taken_literally() -> None:
    assert masked("a.*b (c[d\\", {"A_TOKEN": "(c[d\\"}, HOME) == f"a.*b {MASK}"


def test_the_home_folder_and_the_users_name_are_masked() -> None:
    environ = {"HOME": str(HOME), "USER": "marguerite"}
    said = masked(f"{HOME}/project/x.py, {HOME}-old, owner marguerite, File '{HOME}'", environ, HOME)
    assert "marguerite" not in said
    assert said.startswith("~/project/x.py")


def test_what_is_no_secret_is_left() -> None:
    said = "Successfully installed numpy-2.2.6\nhttps://index.example/simple/numpy/ line 12, in <module>: a=b"
    assert masked(said, {"PATH": "/usr/bin", "LANG": "C"}, HOME) == said


def test_masking_a_long_hostile_text_takes_no_time_to_speak_of() -> None:
    masked("https://" + "a:" * 20_000 + "password=" * 5_000, {}, HOME)


def test_a_report_tells_names_but_no_secrets(tmp_path: Path) -> None:
    home = tmp_path / "marguerite"
    logs = logs_folder(tmp_path)
    logs.mkdir(parents=True)
    (logs / "step.log").write_text(f"GET https://me:{SECRET}@index.example/simple\nTraceback in {home}/x.py\n`````\n")
    report = bug_report(
        store=tmp_path,
        home=home,
        environ={"HOME": str(home), "COMPANY_TOKEN": "hunter2hunter2", "USER": "marguerite"},
        host=HostFacts((), ()),
        findings=(Finding("package index", "finding", "It does not answer", "proxy hunter2hunter2", ""),),
        plans={"quantize": f"python {home}/bin/python"},
    )
    for secret in (SECRET, "hunter2hunter2", str(home), "marguerite"):
        assert secret not in report
    for told in ("COMPANY_TOKEN", "envguard ", "~/bin/python", "Traceback", "It does not answer"):
        assert told in report


def test_what_a_cut_went_through_is_left_out(tmp_path: Path) -> None:
    logs = logs_folder(tmp_path)
    logs.mkdir(parents=True)
    (logs / "step.log").write_text("password=" + "z" * 30_000 + "\nthe end\n")
    report = bug_report(store=tmp_path, home=HOME, environ={}, host=HostFacts((), ()), findings=(), plans={})
    assert "zzz" not in report
    assert "the end" in report
