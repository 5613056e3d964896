"""A user's credentials for an index go to that index, and through nothing that a project named."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from envguard.catalog import builtin_catalog
from envguard.catalog.model import Catalog
from envguard.catalog.model import Index as Sources
from envguard.errors import BadInput
from envguard.host.interpreters import HostFacts
from envguard.host.variables import installer_variables, npm_variables
from envguard.planning import minor_of
from envguard.running.environments.preparing import Workshop
from envguard.trust.sources import sources_of
from tests.support.command import envguard
from tests.support.environments import Events
from tests.support.local_index import make_authority, make_wheel, proxying, serving
from tests.support.projects import trusted, write_project

SECRET = "bob:TheOnlyCopyOfIt"
PROXY = Sources(proxy="http://proxy.example:3128")
AUTHORITY = Sources(certificates="/project/ca.pem")
INDEX = Sources(url="https://index.example/simple")
OWN = {
    "an address": {"UV_DEFAULT_INDEX": f"https://{SECRET}@private.example/simple"},
    "pip's address": {"PIP_INDEX_URL": f"https://{SECRET}@private.example/simple"},
    "one of several addresses": {"UV_EXTRA_INDEX_URL": f"https://a.example/simple https://{SECRET}@b.example/simple"},
    "a named address": {"UV_INDEX": f"own=https://{SECRET}@private.example/simple"},
    "a token": {"UV_INDEX_URL": "https://TheOnlyCopyOfIt@private.example/simple"},
    "variables": {"UV_INDEX": "own=https://private.example/simple", "UV_INDEX_OWN_PASSWORD": "TheOnlyCopyOfIt"},
    "a user's name": {"UV_INDEX": "own=https://private.example/simple", "UV_INDEX_OWN_USERNAME": "TheOnlyCopyOfIt"},
    "a keyring": {"UV_INDEX_URL": "https://private.example/simple", "UV_KEYRING_PROVIDER": "subprocess"},
}


def catalog_with(index: Sources) -> Catalog:
    return replace(builtin_catalog(), project=Path("/project"), index=index)


@pytest.mark.parametrize("index", [PROXY, AUTHORITY, replace(INDEX, proxy="http://proxy.example:3128")])
@pytest.mark.parametrize("own", OWN)
def test_an_own_index_with_a_password_is_not_reached_through_a_project(
    own: str, index: Sources, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match="names a proxy or certificates, and") as caught:
        sources_of(catalog_with(index), {"HOME": str(tmp_path), **OWN[own]})
    assert "TheOnlyCopyOfIt" not in f"{caught.value.what} {caught.value.why} {caught.value.next_step}"
    through_own = {**OWN[own], "HTTPS_PROXY": "http://mine.example", "SSL_CERT_FILE": "/mine.pem"}
    assert sources_of(catalog_with(index), through_own).items() >= through_own.items()


def test_the_password_of_a_netrc_counts_for_its_host_alone(tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("machine index.example login bob password TheOnlyCopyOfIt\n")
    (tmp_path / ".netrc").chmod(0o600)
    theirs = replace(INDEX, certificates="/project/ca.pem")
    with pytest.raises(BadInput, match=r"your netrc holds the password for index\.example"):
        sources_of(catalog_with(theirs), {"HOME": str(tmp_path)})
    with pytest.raises(BadInput, match="your netrc"):
        sources_of(catalog_with(theirs), {"NETRC": str(tmp_path / ".netrc")})
    other = replace(theirs, url="https://other.example/simple")
    laid = installer_variables(sources_of(catalog_with(other), {"HOME": str(tmp_path)}))
    assert laid["NETRC"] == os.devnull, "the index may send the installer on to index.example"
    assert laid["UV_CREDENTIALS_DIR"] == f"{os.devnull}/none"
    assert "NETRC" not in sources_of(catalog_with(INDEX), {"HOME": str(tmp_path)}), "only an index: straight to it"


def test_npm_knows_nothing_of_a_projects_proxy(tmp_path: Path) -> None:
    shop = Workshop(
        home=tmp_path,
        user_home=tmp_path,
        environ={"HOME": str(tmp_path)},
        catalog=catalog_with(PROXY),
        receive=Events(),
    )
    assert shop.sources["HTTPS_PROXY"] == PROXY.proxy
    assert "HTTPS_PROXY" not in npm_variables(shop.environ)


def test_nothing_is_sent_through_a_projects_proxy_to_an_own_index(tmp_path: Path, host: HostFacts) -> None:
    """The real thing: an index with a password under an own authority, and a trusted project that names a proxy."""
    (tmp_path / "wheels").mkdir()
    make_wheel(tmp_path / "wheels", "private_thing", "1.0")
    authority = make_authority(tmp_path)
    project = write_project(tmp_path / "project", minor_of(host.usable[0]), "", {})
    (project / "ca.pem").write_bytes(authority.certificate.read_bytes())
    text = (project / "envguard.toml").read_text().replace("requirements = []", 'requirements = ["private-thing==1.0"]')
    with serving(tmp_path / "wheels", authority, SECRET) as index, proxying() as (proxy, asked):
        environ = {"UV_DEFAULT_INDEX": index.url(SECRET), "SSL_CERT_FILE": str(authority.certificate), "NO_PROXY": ""}
        lock = ("lock", "one", "--cut-off", "2026-11-20T00:00:00Z")
        (project / "envguard.toml").write_text(f'{text}\n[index]\nproxy = "{proxy}"\ncertificates = "ca.pem"\n')
        trusted(project)
        refused = envguard(*lock, home=tmp_path / "home", cwd=project, **environ)
        assert refused.code == 2, refused
        assert "your credentials go to the index that they are for" in refused.err
        assert "TheOnlyCopyOfIt" not in refused.err
        assert not asked
        assert not index.asked
        (project / "envguard.toml").write_text(text)
        done = envguard(*lock, home=tmp_path / "home", cwd=project, **environ)
        assert "written, 1 packages" in done.out, done
        assert index.asked
