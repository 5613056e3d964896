"""This host, and hosts made worse: each check finds what is wrong, tells no secret and changes nothing."""

from __future__ import annotations

import os
import socket
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from envguard.catalog import builtin_catalog
from envguard.catalog.model import Edition, Environment, OptionalLibraries
from envguard.doctor import host_checks
from envguard.doctor.examination import Examined, examine_host
from envguard.doctor.finding import Finding
from envguard.host.interpreters import HostFacts


def levels(found: list[Finding]) -> set[str]:
    return {each.level for each in found}


def test_a_host_without_a_usable_python_has_a_finding() -> None:
    (finding,) = host_checks.check_interpreters(HostFacts((), ()), ["3.42", "3.41"])
    assert (finding.level, finding.remedy) == ("finding", "uv python install 3.42")


def test_a_host_with_none_of_the_pythons_that_environments_are_for_has_a_finding(host: HostFacts) -> None:
    found = [each for each in host_checks.check_interpreters(host, ["3.42"]) if each.level == "finding"]
    assert [each.what for each in found] == ["No environment is for a Python of this host"]
    assert host.usable[0].version_text in found[0].evidence
    assert found[0].remedy == "uv python install 3.42"


def test_pythons_that_cannot_be_used_are_notes_with_their_reason(host: HostFacts) -> None:
    found = list(host_checks.check_interpreters(host, builtin_catalog().pythons))
    assert levels(found) <= {"note"}
    assert len(found) >= len(host.broken)


def test_leaking_variables_are_named_and_their_values_are_not() -> None:
    environ = {"PYTHONPATH": "/secret", "LD_PRELOAD": "/secret", "UV_INDEX_URL": "https://me:secret@x", "EDITOR": "vi"}
    found = list(host_checks.check_variables(environ))
    assert [each.what.split()[0] for each in found] == ["LD_PRELOAD", "PYTHONPATH", "UV_INDEX_URL"]
    assert "secret" not in str(found)
    assert levels(found) == {"note"}


def test_configuration_files_user_packages_and_sitecustomize_are_named(tmp_path: Path, host: HostFacts) -> None:
    (tmp_path / ".config/pip").mkdir(parents=True)
    (tmp_path / ".config/pip/pip.conf").write_text("[global]\nindex-url = https://me:secret@index.example\n")
    version = "{}.{}".format(*host.usable[0].version[:2])
    (tmp_path / f".local/lib/python{version}/site-packages/numpy").mkdir(parents=True)
    found = list(host_checks.check_files(host, {}, tmp_path, root=tmp_path / "none"))
    said = str(found)
    assert "pip.conf configures an installer" in said
    assert f"every Python {version} of this user can import" in said
    assert "secret" not in said


def test_too_little_room_is_a_finding_and_enough_is_none(tmp_path: Path) -> None:
    store = tmp_path / "not" / "there" / "yet"
    assert list(host_checks.check_disk(store, needed=1)) == []
    (finding,) = host_checks.check_disk(store, needed=1 << 60)
    assert finding.level == "finding"
    assert not store.exists()


def engine(path: Path, answer: bytes) -> socket.socket:
    """Something that listens at a socket and gives one answer to each who asks."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen()

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(1024)
                connection.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    return listener


def test_an_engine_that_answers_is_no_note_and_each_other_one_is(tmp_path: Path) -> None:
    path = tmp_path / "engine.sock"
    environ = {"DOCKER_HOST": f"unix://{path}"}
    (none,) = host_checks.check_engine(environ)
    assert "No container engine is running" in none.what
    with engine(path, b"HTTP/1.0 200 OK\r\n\r\nOK"):
        assert list(host_checks.check_engine(environ)) == []
    path.unlink()
    with engine(path, b"HTTP/1.0 500 no\r\n\r\n"):
        (wrong,) = host_checks.check_engine(environ)
    assert "does not answer" in wrong.what
    assert wrong.level == "note"


@pytest.mark.skipif(sys.platform != "linux", reason="Debian's packages, in folders of Linux' linker")
def test_an_optional_library_that_is_missing_is_a_note_with_its_purpose_and_its_package() -> None:
    optional = OptionalLibraries("to draw", {"libc6": "libc.so.6", "libnothing1": "nowhere/libnothing.so.1"})
    edition = Edition("1", ("3.11",), ("six",), optional_libraries=optional)
    environment = Environment("tools", "tools", "checks.imports", (edition,), Path())
    (note,) = host_checks.check_optional_libraries([environment])
    assert (note.level, note.what) == ("note", "libnothing1 is not installed")
    assert note.evidence == "tools 1 needs it only to draw"
    assert note.remedy == "apt-get install --no-install-recommends libnothing1"
    not_offered = replace(environment, editions=(replace(edition, offered=False),))
    assert list(host_checks.check_optional_libraries([not_offered])) == []


def test_a_host_without_a_browser_is_told_how_to_get_one(tmp_path: Path) -> None:
    (note,) = host_checks.check_browser({"PATH": str(tmp_path)}, tmp_path, root=tmp_path)
    assert (note.level, note.what) == ("note", "No Chromium, Chrome or Edge was found")
    assert "ENVGUARD_BROWSER" in note.remedy
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/debian_version").touch()
    (on_debian,) = host_checks.check_browser({"ENVGUARD_BROWSER": "/none"}, tmp_path, root=tmp_path)
    assert on_debian.remedy == "apt-get install --no-install-recommends chromium-headless-shell"
    assert "names /none" in on_debian.evidence
    (tmp_path / "chromium").touch(mode=0o755)
    assert list(host_checks.check_browser({"PATH": str(tmp_path)}, tmp_path, root=tmp_path)) == []


@pytest.mark.network
def test_an_index_that_cannot_be_reached_is_a_finding_with_the_right_cure(tmp_path: Path) -> None:
    environ = {**os.environ, "HTTPS_PROXY": "http://me:hunter2@127.0.0.1:9", "HTTP_PROXY": "", "NO_PROXY": ""}
    environ.pop("no_proxy", None)
    found = [
        each
        for each in examine_host(Examined(tmp_path, tmp_path, environ), patience=60)
        if each.check == "package index"
    ]
    assert len(found) == 1
    assert "HTTPS_PROXY" in found[0].remedy
    assert "hunter2" not in str(found)


@pytest.mark.network
@pytest.mark.slow
def test_a_host_is_examined_in_less_than_three_seconds_of_a_processor(tmp_path: Path) -> None:
    began = os.times()
    found = examine_host(Examined(tmp_path / "store", Path.home(), os.environ), patience=60)
    assert sum(os.times()[:4]) - sum(began[:4]) < 3.0  # its own and that of what it has started
    assert not [each for each in found if each.check == "package index"]


def test_a_half_built_environment_is_a_finding(tmp_path: Path) -> None:
    folder = tmp_path / "environments" / "quantize-0.10-cp311-0123456789abcdef"
    (folder / "venv").mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))
    found = examine_host(
        Examined(
            tmp_path,
            tmp_path,
            {"PATH": os.environ["PATH"]},
        ),
        index=False,
    )
    (finding,) = [each for each in found if each.check == "store"]
    assert folder.name in finding.what
    assert [path for path in before if not path.exists()] == []
