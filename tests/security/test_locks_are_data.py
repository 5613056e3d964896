"""Requirements, overrides and locks are data: nothing in them becomes an option, an address, a file or a variable."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from envguard.catalog.reading import catalog_from
from envguard.errors import BrokenData
from envguard.host.interpreters import HostFacts
from envguard.locks.lockfile import Lock, LockedPackage, LockedWheel, read_lock
from envguard.locks.proofs import Proof, read_proofs, write_proofs
from envguard.locks.tool_words import literal_words
from envguard.planning import minor_of
from envguard.requirement import parsed, written
from tests.support.catalogs import changed
from tests.support.command import envguard
from tests.support.projects import write_project

SIX = LockedPackage("six", "1.17.0", "", (LockedWheel("six-1.17.0-py2.py3-none-any.whl", "a" * 64),))
LOCK = Lock("one", "1", "3.11", "2026-11-01T00:00:00Z", ("six==1.17.0",), ("idna==3",), (SIX,))
SECRET = "TheOnlyCopyOfIt"

NO_REQUIREMENTS = [
    "-e /tmp/evil",
    "-e ./evil",
    "--editable=./evil",
    "-r /etc/passwd",
    "--requirement=/etc/passwd",
    "-c /etc/passwd",
    "--extra-index-url http://127.0.0.1:9/${SECRET}",
    "--index-url=http://127.0.0.1:9/",
    "--find-links /tmp",
    "--no-binary :all:",
    "--trusted-host 127.0.0.1",
    "six --extra-index-url http://127.0.0.1:9/",
    "six --hash=sha256:" + "a" * 64,
    "six==1.17.0 --hash=sha256:" + "a" * 64,
    "six --config-settings=x=y",
    "six @ file:///tmp/evil",
    "six @ http://packages.example/six-1.0.tar.gz",
    "six @ git+http://packages.example/six.git",
    "file:///tmp/evil",
    "/tmp/evil",
    "./evil",
    "evil/",
    ".",
    "http://127.0.0.1:9/six-1.0-py3-none-any.whl",
    "git+ssh://127.0.0.1/six",
    "${SECRET}",
    "six==${SECRET}",
    "six===${SECRET}",
    "six==1.17.0 ; platform_release == '${SECRET}'",
    "six[${SECRET}]",
    "six # a comment",
    "six \\",
    "six==1.17.0\\",
    "six\n-e /tmp/evil",
    "six\r-e /tmp/evil",
    "six\x0c-e /tmp/evil",
    "six\x85-e /tmp/evil",
    "six\u2028-e /tmp/evil",
    "six\x00",
    "six==1.17.0 ; python_version > '3'\r--no-index",
    "six ; " + "(" * 20000 + "python_version > '3'" + ")" * 20000,
    "",
    " ",
    "@",
    "six==1.*.1 -e x",
    "s\u0456x",  # a Cyrillic letter
]


def test_an_address_is_only_for_what_is_required() -> None:
    for text in ("six @ https://packages.example/six-1.0.tar.gz", "six @ git+https://packages.example/six"):
        parsed(text, local=True)
        document = changed("environments", "tools", "editions", "2", "overrides", to=[text])
        with pytest.raises(BrokenData, match=r"editions\.2: overrides "):
            catalog_from(document, source="envguard.toml", lockfiles=Path("lockfiles"))


@pytest.mark.parametrize("text", NO_REQUIREMENTS)
def test_what_is_no_requirement_by_name_is_refused_in_catalogs(text: str) -> None:
    with pytest.raises(ValueError, match="has"):
        parsed(text)
    for key in ("requirements", "overrides"):
        document = changed("environments", "tools", "editions", "2", key, to=[text])
        with pytest.raises(BrokenData, match=rf"editions\.2: {key} "):
            catalog_from(document, source="envguard.toml", lockfiles=Path("lockfiles"))


@pytest.mark.parametrize(
    ("text", "again"),
    [
        ("six", "six"),
        ("Six >= 1.16 , < 2", "Six<2,>=1.16"),
        ("tool[a,b]==1.*", "tool[a,b]==1.*"),
        (
            "a==1+local.2 ; sys_platform == 'linux' and extra == \"x\"",
            'a==1+local.2; sys_platform == "linux" and extra == "x"',
        ),
        ("a!=1!2.0,~=1!1.0", "a!=1!2.0,~=1!1.0"),
    ],
)
def test_a_requirement_is_written_anew(text: str, again: str) -> None:
    assert written(text) == again


LOCK_ATTACKS = {
    "an option after a carriage return in the cut-off": ("Z\n", "Z\r--extra-index-url http://127.0.0.1:9/${SECRET}/\n"),
    "an option after a form feed": ("Z\n", "Z\x0c--extra-index-url http://127.0.0.1:9/\n"),
    "an option after a vertical tab": ("Z\n", "Z\x0b--no-index\n"),
    "an option after a next line": ("Z\n", "Z\x85--no-index\n"),
    "an option after a line separator": ("Z\n", "Z\u2028--no-index\n"),
    "a zero": ("Z\n", "Z\0\n"),
    "an escape": ("Z\n", "Z\x1b[2J\n"),
    "a text that is no moment": ("2026-11-01T00:00:00Z", "--refresh"),
    "an option as a line": ("\n\n# wheel", "\n\n--index-url http://127.0.0.1:9/\n# wheel"),
    "an option at the end": ("a" * 64 + "\n", "a" * 64 + "\n-e /tmp/evil\n"),
    "an option after the version": ("six==1.17.0 ", "six==1.17.0 --no-index "),
    "an option in a marker": ("six==1.17.0 ", "six==1.17.0 ; --no-index "),
    "a carriage return in a marker": ("six==1.17.0 ", "six==1.17.0 ; python_version > '3'\r--no-index "),
    "a variable in a marker": ("six==1.17.0 ", "six==1.17.0 ; platform_release == '${SECRET}' "),
    "a marker without an end": ("six==1.17.0 ", "six==1.17.0 ; (((((x "),
    "a deep marker": ("six==1.17.0 ", "six==1.17.0 ; " + "(" * 20000 + "x" + ")" * 20000 + " "),
    "an address": ("six==1.17.0 ", "six @ http://127.0.0.1:9/six.whl "),
    "a version that is none": ("six==1.17.0", "six==1.17.0.notaversion"),
    "an option as a requirement": ("# requires: six==1.17.0", "# requires: -e /tmp/evil"),
    "an address as an override": ("# override: idna==3", "# override: idna @ file:///tmp/evil"),
    "a path as an edition": ("# edition: 1", "# edition: ../1"),
    "a path as a Python": ("# python: 3.11", "# python: /tmp/python"),
    "a file that is no wheel": ("six-1.17.0-py2.py3-none-any.whl", "x.whl"),
    "a wheel of another package": ("six-1.17.0-py2", "sex-1.17.0-py2"),
    "a wheel of another version": ("six-1.17.0-py2", "six-1.18.0-py2"),
    "a deleted hash": (" \\\n    --hash=sha256:" + "a" * 64, ""),
    "a package less": ("# packages: 1", "# packages: 0"),
}


@pytest.mark.parametrize("attack", LOCK_ATTACKS)
def test_a_lock_that_envguard_did_not_write_is_refused(tmp_path: Path, attack: str) -> None:
    old, new = LOCK_ATTACKS[attack]
    assert LOCK.text().count(old) >= 1
    path = tmp_path / "cp311.txt"
    path.write_bytes(LOCK.text().replace(old, new, 1).encode())
    with pytest.raises(BrokenData, match="not as envguard wrote it"):
        read_lock(path)


@pytest.mark.parametrize("control", ["\x00", "\x07", "\n", "\r", "\x1b[2J", "\x7f", "\x85", "\u202e", "\u2028"])
@pytest.mark.parametrize(
    "place",
    [
        ("environments", "tools", "summary"),
        ("environments", "tools", "check-options", "modules"),
        ("environments", "other", "check", "command", 2),
        ("environments", "tools", "editions", "1", "requirements", 0),
        ("environments", "tools", "editions", "1", "system-libraries", 0),
        ("samples", "one", "summary"),
        ("samples", "one", "files", 0, "path"),
        ("tasks", "work", "summary"),
        ("tasks", "work", "output"),
        ("tasks", "work", "steps", 0, "inputs", "a"),
        ("tasks", "work", "steps", 0, "options", "deep"),
        ("tasks", "make", "steps", 0, "command", 1),
        ("tasks", "make", "steps", 0, "outputs", "log"),
        ("tasks", "make", "steps", 0, "env", "TF_CPP_MIN_LOG_LEVEL"),
        ("index", "url"),
        ("index", "certificates"),
        ("index", "proxy"),
        ("image", "base"),
    ],
)
def test_no_field_of_a_catalog_takes_a_control_character(place: tuple[str | int, ...], control: str) -> None:
    document = changed(*place, to=f"a{control}b")
    with pytest.raises(BrokenData):
        catalog_from(document, source="envguard.toml", lockfiles=Path("lockfiles"))


@contextmanager
def listening() -> Iterator[tuple[str, list[str]]]:
    """A server on this machine, and the paths that it is asked for."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        do_HEAD = do_GET  # noqa: N815 - the base class's name

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()


def test_nothing_of_a_requirement_runs_and_no_variable_leaves(tmp_path: Path, host: HostFacts) -> None:
    project = write_project(tmp_path / "project", minor_of(host.usable[0]), "", {})
    ran = tmp_path / "ran"
    (project / "evil").mkdir()
    (project / "evil" / "setup.py").write_text(
        f"open({str(ran)!r}, 'w').write('x')\nfrom setuptools import setup\nsetup(name='evil', version='1.0')\n"
    )
    good = (project / "envguard.toml").read_text()
    with listening() as (address, asked):
        for requirement in (
            f"-e {project}/evil",
            f"--extra-index-url {address}/${{SECRET}}",
            f"evil @ file://{project}/evil",
        ):
            text = good.replace("requirements = []", f'requirements = ["{requirement}", "six"]', 1)
            (project / "envguard.toml").write_text(text)
            for command in (("list",), ("setup",), ("create", "one"), ("lock", "one"), ("lock", "one", "--check")):
                ended = envguard(*command, home=tmp_path / "home", cwd=project, SECRET=SECRET)
                assert ended.code == 2, ended
                assert "editions.1: requirements has" in ended.err
                assert SECRET not in ended.err
    assert not ran.exists()
    assert not asked


def test_a_lock_with_a_carriage_return_sends_no_variable_to_a_stranger(tmp_path: Path, host: HostFacts) -> None:
    project = write_project(tmp_path / "project", minor_of(host.usable[0]), "", {})
    (lock,) = (project / "lockfiles" / "one").rglob("cp3*.txt")
    with listening() as (address, asked):
        injected = f"Z\r--extra-index-url {address}/${{UV_INDEX_PRIVATE_PASSWORD}}/\n".encode()
        lock.write_bytes(lock.read_bytes().replace(b"Z\n", injected, 1))
        for command in (("create", "one"), ("lock", "one", "--check"), ("exec", "one", "--", "python", "-c", "")):
            ended = envguard(*command, home=tmp_path / "home", cwd=project, UV_INDEX_PRIVATE_PASSWORD=SECRET)
            assert ended.code == 2, ended
            assert "not printable ASCII" in ended.err
    assert not asked


@pytest.mark.parametrize("control", ["\x1b[2J", "\r", "\n", "\x9b", "\u202e"])
def test_a_proof_says_nothing_that_works_on_a_terminal(tmp_path: Path, control: str) -> None:
    proof = Proof("a" * 64, "3.11.7", "linux-x86_64", "", "now", "x", 0.0, result="fails", reason=f"it {control}fails")
    write_proofs(tmp_path / "proofs.json", [proof])
    with pytest.raises(BrokenData, match="cannot be read"):
        read_proofs(tmp_path / "proofs.json")
    assert literal_words(f"it {control}fails").isprintable(), "what envguard records can be read"
