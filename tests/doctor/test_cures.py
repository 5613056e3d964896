"""What rules tell to type is typed: a failure is made, its message explained, and the cure's commands mend it."""

from __future__ import annotations

import http.server
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from envguard.doctor.rules import builtin_rules
from envguard.host.interpreters import HostFacts, Interpreter
from envguard.host.variables import installer_variables
from tests.support.command import envguard
from tests.support.local_index import make_authority, serving
from tests.support.offline import Offline, complete_python, make_python, make_wheels


@dataclass(frozen=True)
class Failure:
    """What is set in a shell, and what then fails there: `command`, in which `python` is the environment's."""

    rule: str
    command: str
    settings: tuple[str, ...] = ()


OFFLINE = [
    Failure("pythonhome", "{python} -c 'import json'", ("export PYTHONHOME=/nowhere",)),
    Failure("ascii_locale", "{python} -c 'print(chr(233))'", ("export LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0",)),
    Failure("too_many_files", "{python} -c 'f = [open(\"/dev/null\") for _ in range(99)]'", ("ulimit -S -n 30",)),
    Failure("no_virtual_environment", "python3 -m pip install one", ("export PIP_REQUIRE_VIRTUALENV=1",)),
    Failure("no_pip", "{python} -m pip --version"),
    Failure("user_install_in_venv", "{python} -m pip install one", ("{python} -m ensurepip >&2", "export PIP_USER=1")),
]
OF_AN_INDEX = [
    Failure("proxy", "uv pip install --python {python} one", ("export HTTPS_PROXY=http://127.0.0.1:9",)),
    Failure("offline", "uv pip install --python {python} one", ("export UV_OFFLINE=1",)),
    Failure(
        "ca_bundle_missing", "{python} -m pip install one", ("{python} -m ensurepip >&2", "export PIP_CERT=/none.pem")
    ),
]
FROM_THE_INDEX = [
    Failure("distutils_gone", "{python} -c 'import distutils.util'"),
    Failure("pkg_resources_gone", "{python} -c 'import pkg_resources'"),
]
ELSEWHERE = {
    "externally_managed",
    "half_removed",
    "incompatible_installed",
    "index_timeout",
    "numpy_abi",
    "numpy_source_dir",
}


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_wheels(tmp_path_factory.mktemp("wheels") / "all")


@pytest.fixture(scope="module")
def interpreter(host: HostFacts) -> Interpreter:
    return complete_python(host, least=(3, 12))


@pytest.fixture
def environment(tmp_path: Path, interpreter: Interpreter, wheels: Path) -> Offline:
    """An empty environment, which has no pip."""
    return Offline(tmp_path, interpreter.path, wheels)


def is_cured(failure: Failure, environment: Offline) -> None:
    """Make the failure, explain what was printed, type the commands into the same shell, and try once more."""
    names = {"python": environment.python}
    before = [each.format_map(names) for each in failure.settings]
    command = failure.command.format_map(names)
    _, said = environment.said("\n".join((*before, command)))
    log = environment.home / "log"
    log.write_text(said)
    ended = envguard("explain", log, "--json", home=environment.home)
    assert ended.code == 0, said
    hint = ended.document["hints"][0]
    assert hint["rule"] == failure.rule, said
    assert hint["commands"], said
    code, said = environment.said("\n".join((*before, "set -e", *hint["commands"], "echo CURED", command)))
    assert code == 0, said
    log.write_text(said.partition("CURED")[2])
    again = envguard("explain", log, "--json", home=environment.home).document["hints"]
    assert failure.rule not in {each["rule"] for each in again}


@pytest.mark.parametrize("failure", OFFLINE, ids=lambda failure: failure.rule)
def test_what_fails_without_an_index_is_mended(failure: Failure, environment: Offline) -> None:
    is_cured(failure, environment)


@pytest.mark.parametrize("failure", OF_AN_INDEX, ids=lambda failure: failure.rule)
def test_what_fails_on_the_way_to_an_index_is_mended(failure: Failure, environment: Offline, wheels: Path) -> None:
    authority = make_authority(environment.home)
    with serving(wheels, authority) as index:
        environment.asks(index.url(), SSL_CERT_FILE=str(authority.certificate), UV_HTTP_RETRIES="0")
        is_cured(failure, environment)


@pytest.fixture
def slow_index(wheels: Path) -> Iterator[str]:
    """The address of an index that thinks for longer than the failure's command waits."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object, **more: object) -> None:
            super().__init__(*arguments, directory=str(wheels), **more)  # type: ignore[arg-type]

        def do_GET(self) -> None:
            if self.path.startswith("/simple"):
                time.sleep(1.5)
                page = b'<a href="/one-1.0-py3-none-any.whl">one-1.0-py3-none-any.whl</a>'
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(page)))
                self.end_headers()
                self.wfile.write(page)
            else:
                super().do_GET()

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/simple"
    server.shutdown()
    server.server_close()


def test_an_index_that_is_slow_is_waited_for(environment: Offline, slow_index: str) -> None:
    environment.asks(slow_index, UV_HTTP_RETRIES="0")
    is_cured(
        Failure("index_timeout", "uv pip install --python {python} one", ("export UV_HTTP_TIMEOUT=1",)), environment
    )


def test_what_pip_left_half_removed_is_deleted(environment: Offline) -> None:
    environment.install("pip", "base==1.0")
    for path in list(environment.site_packages.glob("base*")):
        path.rename(path.with_name(f"~{path.name[1:]}"))
    is_cured(Failure("half_removed", "{python} -m pip list"), environment)
    assert not list(environment.site_packages.glob("~*"))


def test_a_requirement_that_an_installation_changed_is_changed_back(environment: Offline) -> None:
    environment.install("pip", "user==1.0")
    environment.sh(f"uv pip install -q --python {environment.python} --no-deps base==2.0")
    environment.activate()
    is_cured(Failure("incompatible_installed", "python -m pip check"), environment)


@pytest.mark.slow
def test_where_the_system_forbids_it_one_installs_into_an_environment(
    environment: Offline, tmp_path: Path, interpreter: Interpreter
) -> None:
    python = make_python(tmp_path / "python", interpreter)
    environment.sh(f"{python} -m ensurepip")
    (library,) = python.parent.parent.glob("lib/python3*")
    (library / "EXTERNALLY-MANAGED").write_text("[externally-managed]\n")
    environment.environ["PATH"] = os.pathsep.join((str(python.parent), os.defpath))
    is_cured(Failure("externally_managed", "python3 -m pip install one"), environment)


def online(environment: Offline) -> Offline:
    """The same with the index that this machine is set up for."""
    environment.environ = {
        **installer_variables(os.environ),
        "PATH": environment.environ["PATH"],
        "HOME": str(environment.home),
    }
    return environment


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.parametrize("failure", FROM_THE_INDEX, ids=lambda failure: failure.rule)
def test_what_python_or_setuptools_no_longer_has_is_installed(failure: Failure, environment: Offline) -> None:
    environment.install("pip")
    environment.activate()
    is_cured(failure, online(environment))


@pytest.mark.network
@pytest.mark.slow
def test_numpys_that_do_not_fit_are_kept_out_or_replaced(environment: Offline, host: HostFacts, tmp_path: Path) -> None:
    other = next((row for row in host.usable if row.version[:2] == (3, 11)), None)
    if other is None:
        pytest.skip("no Python 3.11 on this host")
    old = Offline(tmp_path / "old", other.path, tmp_path)
    online(old).sh(
        f"uv pip install -q --python {old.python} pip numpy==2.2.6 opencv-python-headless==4.9.0.80 --no-deps"
    )
    settings = (f"export PYTHONPATH={old.site_packages}",)
    online(environment).sh(f"uv pip install -q --python {environment.python} numpy")
    is_cured(Failure("numpy_source_dir", "{python} -c 'import numpy'", settings), environment)
    old.activate()
    is_cured(Failure("numpy_abi", "{python} -c 'import cv2'"), old)


def test_every_rule_with_commands_is_tried_here() -> None:
    tried = {failure.rule for failure in (*OFFLINE, *OF_AN_INDEX, *FROM_THE_INDEX)} | ELSEWHERE
    assert {rule.identifier for rule in builtin_rules() if rule.commands} == tried
