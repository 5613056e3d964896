"""Mirrors, private indexes, own authorities and proxies work from the variables that users have set already."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from envguard.catalog import read_catalog
from envguard.catalog.model import Catalog, Edition, Environment
from envguard.errors import EnvguardError, NoEnvironment
from envguard.files import write_whole
from envguard.host.interpreters import HostFacts
from envguard.host.secrets import without_secrets
from envguard.host.variables import installer_variables
from envguard.locks.lockfile import Lock, LockRequest, lock_path
from envguard.locks.resolver import resolve
from envguard.locks.uv import UvSetup, find_uv
from envguard.planning import minor_of
from envguard.running.environments.preparing import Workshop
from envguard.store.home import installer_cache
from envguard.trust.sources import sources_of
from tests.support.environments import Events
from tests.support.local_index import Authority, Index, make_authority, make_wheel, proxying, serving

pytestmark = pytest.mark.slow

SECRET = "s3cr3t-p%40ss"
CREDENTIALS = f"user:{SECRET}"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    make_wheel(folder, "private_thing", "1.0")
    return folder


@pytest.fixture
def index(wheels: Path, authority: Authority) -> Iterator[Index]:
    with serving(wheels, authority) as index:
        yield index


@pytest.fixture
def python(host: HostFacts) -> str:
    return minor_of(host.usable[0])


def locked(home: Path, python: str, environ: dict[str, str]) -> Lock:
    return resolve(
        LockRequest("tools", "1", python, ("private-thing==1.0",)),
        cut_off="2030-01-01T00:00:00Z",
        uv=UvSetup(find_uv(), installer_variables(environ), installer_cache(home)),
    )


def shop_of(home: Path, python: str, lock: Lock, environ: dict[str, str]) -> Workshop:
    tools = Environment(
        name="tools",
        summary="tools",
        check="checks.imports",
        check_options={"modules": ["private_thing"]},
        lockfiles=home / "lockfiles",
        editions=(Edition("1", (python,), ("private-thing==1.0",)),),
    )
    path = lock_path(tools.lockfiles, "tools", "1", python)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, lock.text().encode())
    return Workshop(
        home=home,
        user_home=Path.home(),
        environ={**{name: os.environ[name] for name in ("PATH", "PYENV_ROOT") if name in os.environ}, **environ},
        catalog=Catalog({"tools": tools}, {}, {}),
        receive=Events(),
    )


def all_text(folder: Path) -> str:
    return "".join(path.read_text("latin-1") for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("index_name", "authority_name"),
    [
        ("UV_DEFAULT_INDEX", "SSL_CERT_FILE"),
        ("UV_INDEX_URL", "SSL_CERT_FILE"),
        ("PIP_INDEX_URL", "PIP_CERT"),
    ],
)
def test_an_index_with_an_own_authority_serves_locks_and_environments(
    tmp_path: Path, python: str, index: Index, authority: Authority, index_name: str, authority_name: str
) -> None:
    environ = {index_name: index.url(), authority_name: str(authority.certificate)}
    lock = locked(tmp_path, python, environ)
    assert [package.name for package in lock.packages] == ["private-thing"]
    assert index.host not in lock.text()
    prepared = shop_of(tmp_path, python, lock, environ).prepare("tools")
    assert prepared.built.fresh
    assert any(path.startswith("/files/") for path in index.asked)


def test_the_address_of_a_mirror_changes_neither_lock_nor_environment(
    tmp_path: Path, python: str, wheels: Path, index: Index, authority: Authority
) -> None:
    environ = {"UV_DEFAULT_INDEX": index.url(), "SSL_CERT_FILE": str(authority.certificate)}
    lock = locked(tmp_path, python, environ)
    first = shop_of(tmp_path, python, lock, environ).prepare("tools")
    with serving(wheels, authority) as mirror:
        mirrored = {**environ, "UV_DEFAULT_INDEX": mirror.url()}
        assert locked(tmp_path / "elsewhere", python, mirrored).text() == lock.text()
        second = shop_of(tmp_path, python, lock, mirrored).prepare("tools")
    assert second.built == dataclasses.replace(first.built, fresh=False)


def test_credentials_open_a_private_index_and_are_found_nowhere(
    tmp_path: Path, python: str, wheels: Path, authority: Authority
) -> None:
    with serving(wheels, authority, "user:s3cr3t-p@ss") as private:
        environ = {"UV_DEFAULT_INDEX": private.url(CREDENTIALS), "SSL_CERT_FILE": str(authority.certificate)}
        lock = locked(tmp_path, python, environ)
        prepared = shop_of(tmp_path, python, lock, environ).prepare("tools")
    kept = lock.text() + all_text(tmp_path) + str(prepared.as_json())
    assert SECRET not in kept
    assert "s3cr3t-p@ss" not in kept


def test_wrong_credentials_are_an_error_that_does_not_tell_them(
    tmp_path: Path, python: str, wheels: Path, index: Index, authority: Authority
) -> None:
    lock = locked(tmp_path, python, {"UV_DEFAULT_INDEX": index.url(), "SSL_CERT_FILE": str(authority.certificate)})
    with serving(wheels, authority, "user:another") as private:
        environ = {"UV_DEFAULT_INDEX": private.url(CREDENTIALS), "SSL_CERT_FILE": str(authority.certificate)}
        shop = shop_of(tmp_path / "other", python, lock, environ)
        for attempt in (lambda: shop.prepare("tools"), lambda: locked(tmp_path / "third", python, environ)):
            with pytest.raises(EnvguardError) as caught:
                attempt()
            told = f"{caught.value.what} {caught.value.why} {caught.value.next_step}"
            assert "s3cr3t" not in told
            assert caught.value.exit_code == 3


def test_an_unknown_authority_is_refused(tmp_path: Path, python: str, index: Index, authority: Authority) -> None:
    good = {"UV_DEFAULT_INDEX": index.url(), "SSL_CERT_FILE": str(authority.certificate)}
    lock = locked(tmp_path, python, good)
    shop = shop_of(tmp_path / "other", python, lock, {"UV_DEFAULT_INDEX": index.url()})
    with pytest.raises(NoEnvironment, match="cannot be installed") as caught:
        shop.prepare("tools")
    assert "certificate" in caught.value.why.lower()


def test_a_proxy_is_used(tmp_path: Path, python: str, index: Index, authority: Authority) -> None:
    with proxying() as (address, asked):
        environ = {
            "UV_DEFAULT_INDEX": index.url(),
            "SSL_CERT_FILE": str(authority.certificate),
            "HTTPS_PROXY": address,
        }
        lock = locked(tmp_path, python, environ)
        assert shop_of(tmp_path, python, lock, environ).prepare("tools").built.fresh
    assert set(asked) == {index.host}


def test_a_project_can_name_its_index_and_the_users_own_variables_go_before_it(tmp_path: Path) -> None:
    project = tmp_path / "envguard.toml"
    project.write_text(
        'schema = 1\n[index]\nurl = "https://mirror.example/simple"\ncertificates = "ca.pem"\n'
        'proxy = "http://proxy.example:3128"\n'
    )
    catalog = read_catalog(project, lockfiles=tmp_path)
    assert sources_of(catalog, {"PATH": "/bin", "HOME": str(tmp_path)}) == {
        "PATH": "/bin",
        "HOME": str(tmp_path),
        "NETRC": os.devnull,
        "UV_CREDENTIALS_DIR": f"{os.devnull}/none",
        "UV_DEFAULT_INDEX": "https://mirror.example/simple",
        "SSL_CERT_FILE": str(tmp_path / "ca.pem"),
        "HTTPS_PROXY": "http://proxy.example:3128",
    }
    mine = {"PIP_INDEX_URL": "https://mine.example", "PIP_CERT": "/mine.pem", "https_proxy": "http://mine.example"}
    assert sources_of(catalog, mine) == mine


def test_what_is_cached_needs_no_index(tmp_path: Path, python: str, index: Index, authority: Authority) -> None:
    environ = {"UV_DEFAULT_INDEX": index.url(), "SSL_CERT_FILE": str(authority.certificate)}
    lock = locked(tmp_path, python, environ)
    built = shop_of(tmp_path, python, lock, environ).prepare("tools").built
    (built.folder / "ready.json").unlink()
    asked = len(index.asked)
    shop = shop_of(tmp_path, python, lock, environ)
    shop.offline = True
    assert shop.prepare("tools").built.fresh
    assert len(index.asked) == asked


def test_secrets_are_masked_wherever_they_stand() -> None:
    environ = {"UV_INDEX_CORP_PASSWORD": "hunter22", "PIP_INDEX_URL": "https://me:pass%21word@index.example/simple"}
    text = "GET https://you:other@index.example failed: hunter22, pass!word, pass%21word"
    assert without_secrets(text, environ) == "GET https://****@index.example failed: ****, ****, ****"
    assert without_secrets("nothing to hide", {"PASSWORD": ""}) == "nothing to hide"
