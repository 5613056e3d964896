"""A step that declares no network has none where the system can see to that, and the receipt says whether."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from envguard.host.interpreters import HostFacts
from envguard.planning import minor_of
from envguard.running.commands.network import ENFORCED, NOT_ENFORCED, ON, without_network
from tests.support.command import envguard
from tests.support.projects import write_project

TASK = """
    [tasks.work]
    summary = "work"
    output = "call:out"
    [[tasks.work.steps]]
    name = "call"
    environment = "one"
    command = ["python", "call.py", "{output.out}", "%d"]
    outputs = { out = "out.txt" }
    %s
"""
CALL = """
    import socket, sys
    from pathlib import Path
    try:
        socket.create_connection(("127.0.0.1", int(sys.argv[2])), 5).close()
        said = "reached"
    except OSError:
        said = "not reached"
    Path(sys.argv[1]).write_text(said)
"""


@pytest.fixture(scope="module")
def python(host: HostFacts) -> str:
    return minor_of(host.usable[0])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store for this file's bare environments."""
    return tmp_path_factory.mktemp("home")


@pytest.mark.parametrize("declared", ["", "network = true", "network = false"])
def test_what_a_step_reaches_is_what_its_receipt_says(tmp_path: Path, home: Path, python: str, declared: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        project = write_project(tmp_path, python, TASK % (server.getsockname()[1], declared), {"call.py": CALL})
        done = envguard("run", "work", "-o", "out.txt", home=home, cwd=project)
    assert done.code == 0, done.err
    (step,) = json.loads((project / "out.txt.receipt.json").read_text())["steps"]
    enforced = declared == "network = false" and bool(without_network())
    off = ENFORCED if enforced else NOT_ENFORCED
    assert step.get("network", "") == {"": "", "network = true": ON, "network = false": off}[declared]
    assert (project / "out.txt").read_text() == ("not reached" if enforced else "reached")
    compared = envguard("verify-receipt", "out.txt.receipt.json", home=home, cwd=project)
    assert compared.code == 0
