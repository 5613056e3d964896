"""What several tests of indexes share: a server of files at addresses, and a project that requires one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from envguard.host.interpreters import HostFacts
from envguard.planning import minor_of
from tests.support.local_index import make_authority, make_wheel, serving
from tests.support.places import WHEEL, Project, Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, host: HostFacts) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("served")
    authority = make_authority(tmp_path_factory.mktemp("authority"))
    make_wheel(folder, "common", "1.0")
    with serving(folder, authority) as index:
        environ = {"UV_DEFAULT_INDEX": index.url(), "SSL_CERT_FILE": str(authority.certificate)}
        yield Server(folder, index, minor_of(host.usable[0]), environ)


@pytest.fixture
def project(tmp_path: Path, server: Server) -> Project:
    elsewhere = server.folder / "elsewhere"
    shutil.rmtree(elsewhere, ignore_errors=True)
    elsewhere.mkdir()
    make_wheel(elsewhere, "ours", "1.0", needs=("common",))
    # Somebody else's of the same name and version, as an index may have.
    make_wheel(server.folder, "ours", "1.0", code="raise SystemExit")
    (tmp_path / "project").mkdir()
    made = Project(tmp_path / "project", tmp_path / "home", server)
    made.requires(f"ours @ {server.at('elsewhere/' + WHEEL)}")
    return made
