"""A service that a user names is asked about what is public of a lock, through TLS and proxies; nobody else ever is."""

from __future__ import annotations

import contextlib
import http.server
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from envguard.errors import BadInput
from envguard.locks.lockfile import LockedPackage
from envguard.running.advisories.services import Service, compare_with
from tests.support.command import Ended, envguard
from tests.support.local_index import Authority, make_authority, over_tls, proxying

ADVISORY = {
    "id": "PYSEC-1",
    "aliases": ["CVE-1"],
    "summary": "It is bad",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "MkDocs"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "9"}]}],
        },
        {"package": {"ecosystem": "PyPI", "name": "other"}, "ranges": [{"type": "GIT", "events": [{"fixed": "abc"}]}]},
    ],
}


@dataclass
class Answering:
    """A service: what it was asked, and how it answers; a status other than 200 is an answer too."""

    host: str = ""
    asked: list[tuple[str, Any]] = field(default_factory=list)
    answer: Callable[[str, Any], tuple[int, Any]] = lambda *_: (200, {})


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


@contextlib.contextmanager
def answering(authority: Authority) -> Iterator[Answering]:
    """A service over TLS."""
    service = Answering()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answered(None)

        def do_POST(self) -> None:
            self._answered(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _answered(self, sent: Any) -> None:
            service.asked.append((self.path, sent))
            status, said = service.answer(self.path, sent)
            body = b"" if status == 302 else json.dumps(said).encode()
            self.send_response(status)
            if status == 302:
                self.send_header("Location", said)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with over_tls(Handler, authority) as service.host:
        yield service


@pytest.fixture
def service(authority: Authority) -> Iterator[Answering]:
    with answering(authority) as found:
        yield found


def run(service: str, authority: Authority, home: Path, *options: str, **environ: str) -> Ended:
    command = ("vulnerabilities", "docs", "--edition", "1.6", "--python", "3.11", "--service", service, *options)
    return envguard(*command, home=home, cwd=None, SSL_CERT_FILE=str(authority.certificate), **environ)


def refusal(service: str, certificates: Path) -> str:
    """Why a service's answer about one package is not taken."""
    packages = [LockedPackage("open", "1.0", "", ())]
    with pytest.raises(BadInput) as caught:
        compare_with(Service.parse(service), packages, {"SSL_CERT_FILE": str(certificates)}, offline=False)
    return f"{caught.value.what} {caught.value.why}"


def test_osv_is_asked_about_each_release_page_by_page(service: Answering, authority: Authority, tmp_path: Path) -> None:
    def answer(_: str, sent: Any) -> tuple[int, Any]:
        if sent["package"]["name"] != "mkdocs":
            return 200, {}
        if "page_token" not in sent:
            return 200, {"vulns": [], "next_page_token": "2"}
        return 200, {"vulns": [ADVISORY, {**ADVISORY, "id": "OLD", "withdrawn": "2026-01-01T00:00:00Z"}]}

    service.answer = answer
    ended = run(f"osv=https://{service.host}", authority, tmp_path, "--json")
    assert ended.code == 1, ended.err
    (found,) = ended.document["vulnerabilities"]
    assert (found["package"], found["advisory"], found["mended"]) == ("mkdocs", "PYSEC-1", ["9"])
    assert ended.document["unjudged"] == []
    assert {path for path, _ in service.asked} == {"/v1/query"}
    assert len(service.asked) == ended.document["packages"] + 1
    assert {"package": {"name": "mkdocs", "ecosystem": "PyPI"}, "version": "1.6.1"} in [
        sent for _, sent in service.asked
    ]


def test_pypi_is_asked_and_what_it_does_not_know_is_not_judged(
    service: Answering, authority: Authority, tmp_path: Path
) -> None:
    def answer(path: str, _: Any) -> tuple[int, Any]:
        if path.startswith("/pypi/mkdocs/"):
            return 200, {"vulnerabilities": [{"id": "PYSEC-2", "aliases": [], "details": "Bad", "fixed_in": ["2"]}]}
        return (404, {}) if path.startswith("/pypi/markupsafe/") else (200, {"vulnerabilities": []})

    service.answer = answer
    ended = run(f"pypi=https://{service.host}/pypi/", authority, tmp_path)
    assert ended.code == 1
    assert "mkdocs 1.6.1: PYSEC-2; mended in 2" in ended.out
    assert "the service does not know it" in ended.out
    assert ("/pypi/mkdocs/1.6.1/json", None) in service.asked


def test_a_service_behind_a_proxy_is_asked_through_it(service: Answering, authority: Authority, tmp_path: Path) -> None:
    with proxying() as (proxy, hosts):
        ended = run(f"osv=https://{service.host}", authority, tmp_path, HTTPS_PROXY=proxy, NO_PROXY="", no_proxy="")
    assert ended.code == 0, ended.err
    assert set(hosts) == {service.host}


@pytest.mark.parametrize(
    "answer", [(500, {}), (404, {}), (200, []), (200, {"vulns": 1}), (200, {"vulns": [], "next_page_token": "again"})]
)
def test_without_an_answer_nothing_is_acquitted(
    service: Answering, authority: Authority, answer: tuple[int, Any]
) -> None:
    service.answer = lambda *_: answer
    assert "cannot be asked" in refusal(f"osv=https://{service.host}", authority.certificate)


def test_a_service_that_cannot_be_reached_or_trusted_is_named(
    service: Answering, authority: Authority, tmp_path: Path
) -> None:
    address = f"osv=https://me:s3cret@{service.host}"
    assert "certificate" in refusal(address, authority.server_certificate)
    assert "gone.pem are not there" in refusal(address, tmp_path / "gone.pem")
    assert "s3cret" not in refusal(address, authority.server_certificate)
    assert "https://localhost:1 cannot be asked" in refusal("osv=https://localhost:1", authority.certificate)


def test_nothing_is_sent_on_to_another_address(service: Answering, authority: Authority) -> None:
    with answering(authority) as other:
        service.answer = lambda *_: (302, f"https://{other.host}/v1/query")
        for kind in ("osv", "pypi"):
            said = refusal(f"{kind}=https://{service.host}", authority.certificate)
            assert "leads on to another address" in said
        assert other.asked == []


def test_who_names_no_service_sends_nothing_and_private_names_stay_private(
    service: Answering, authority: Authority, tmp_path: Path
) -> None:
    for options in (
        (),
        ("--service", "osv=https://a.example", "--advisories", "x"),
        ("--service", "https://a.example"),
    ):
        assert envguard("vulnerabilities", "docs", *options, home=tmp_path).code == 2
    assert "asks no service" in run(f"osv=https://{service.host}", authority, tmp_path, "--offline").err
    packages = (
        LockedPackage("open", "1.0", "", ()),
        LockedPackage("secret", "1.0", "", (), index="ours"),
        LockedPackage("mine", "1.0", "", (), file="wheels/mine-1.0-py3-none-any.whl"),
    )
    variables = {"SSL_CERT_FILE": str(authority.certificate)}
    compared = compare_with(Service.parse(f"osv=https://{service.host}"), packages, variables, offline=False)
    assert [package for package, _ in compared.unjudged] == ["secret 1.0", "mine 1.0"]
    assert [sent["package"]["name"] for _, sent in service.asked] == ["open"]
