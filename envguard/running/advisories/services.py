"""Ask a service that a user names about locked packages, in the ways in which pip-audit does: OSV's, or PyPI's."""

from __future__ import annotations

import json
import urllib.error
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from urllib.parse import quote, urlsplit

from envguard.documents import parse_json
from envguard.errors import BadInput
from envguard.host.secrets import without_secrets
from envguard.host.variables import installer_variables
from envguard.locks.lockfile import LockedPackage
from envguard.running.advisories.matching import Comparison, Vulnerability, judged_by_osv, judged_by_pypi
from envguard.running.advisories.reading import UNREADABLE, asked

AT_ONCE = 8
MOST_PAGES = 50
NOT_FOUND = 404
LARGEST_ANSWER = 10_000_000
SECONDS = 20

Ask = Callable[[str, "bytes | None"], bytes]


@dataclass(frozen=True, slots=True)
class Service:
    """A service, by the kind of its questions, `osv` or `pypi`, and its address."""

    kind: str
    address: str

    @classmethod
    def parse(cls, said: str) -> Service:
        """Read `osv=ADDRESS` or `pypi=ADDRESS`; raises BadInput."""
        kind, _, address = said.partition("=")
        parts = urlsplit(address)
        if kind not in _KINDS or parts.scheme not in ("http", "https") or not parts.hostname:
            raise BadInput(
                f"{without_secrets(said, {})!r} names no service.",
                next_step="Name its kind and address: osv=https://HOST, or pypi=https://HOST/pypi.",
            )
        return cls(kind, address.rstrip("/").removesuffix("/v1/query").removesuffix("/v1"))


def compare_with(
    service: Service, packages: Sequence[LockedPackage], variables: Mapping[str, str], *, offline: bool
) -> Comparison:
    """What the service knows of packages: it is told their names and versions, and nothing else.

    It is not asked about packages of the project itself or of an index of their own, whose names are nobody's business.
    Raises BadInput if it does not answer.
    """
    if offline:
        raise BadInput("--offline asks no service.", next_step="Name a file with --advisories.")
    public = {(each.name, each.version): each for each in packages if not (each.file or each.index)}
    try:
        answers = _answers(service, list(public), partial(_asked, installer_variables(variables)))
    except UNREADABLE as error:
        raise BadInput(
            f"The service {without_secrets(service.address, variables)} cannot be asked.",
            why=without_secrets(str(error), variables),
            next_step="Check address, network, proxy and certificates, or use a file: --advisories FILE",
        ) from error
    found: list[Vulnerability] = []
    unjudged = [(f"{each.name} {each.version}", _why_not(each)) for each in packages if each.file or each.index]
    for (name, version), answer in zip(public, answers, strict=True):
        if answer is None:
            unjudged.append((f"{name} {version}", "the service does not know it"))
        found += answer or ()
    return Comparison(tuple(found), tuple(unjudged), len({each.advisory for each in found}))


def _answers(service: Service, releases: Sequence[tuple[str, str]], ask: Ask) -> list[tuple[Vulnerability, ...] | None]:
    """The answers about releases (name, version), in their order."""
    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        futures = [pool.submit(_KINDS[service.kind], service.address, *each, ask) for each in releases]
        return [each.result() for each in futures]
    finally:
        pool.shutdown(cancel_futures=True)  # after an error, nothing more is asked


def _asked(variables: Mapping[str, str], address: str, content: bytes | None) -> bytes:
    """What a service answers; errors name the part of it that was asked."""
    try:
        return asked(address, variables, content, most=LARGEST_ANSWER, seconds=SECONDS)
    except urllib.error.HTTPError as error:
        error.msg = f"{error.msg} ({urlsplit(address).path})"
        raise


def _why_not(package: LockedPackage) -> str:
    return f"only the index {package.index} has it" if package.index else "it is the project's own"


def _by_osv(address: str, name: str, version: str, ask: Ask) -> tuple[Vulnerability, ...]:
    """OSV's `POST /v1/query`, which answers in pages."""
    question: dict[str, object] = {"package": {"name": name, "ecosystem": "PyPI"}, "version": version}
    found: list[Vulnerability] = []
    for _ in range(MOST_PAGES):
        answer = _table(ask(f"{address}/v1/query", json.dumps(question).encode()))
        found += judged_by_osv(name, version, answer.get("vulns", []))
        token = answer.get("next_page_token")
        if not token:
            return tuple(dict.fromkeys(found))
        question["page_token"] = token
    raise ValueError(f"its answer about {name} {version} has more than {MOST_PAGES} pages")


def _by_pypi(address: str, name: str, version: str, ask: Ask) -> tuple[Vulnerability, ...] | None:
    """`GET NAME/VERSION/json` of PyPI's JSON API; None if it has no such release."""
    try:
        answer = _table(ask(f"{address}/{quote(name)}/{quote(version)}/json", None))
    except urllib.error.HTTPError as error:
        if error.code != NOT_FOUND:
            raise
        return None
    if "vulnerabilities" not in answer:
        raise ValueError(f"its answer about {name} {version} has no vulnerabilities, not even an empty list")
    return judged_by_pypi(name, version, answer["vulnerabilities"])


def _table(raw: bytes) -> Mapping[str, object]:
    document = parse_json(raw)
    if not isinstance(document, Mapping):
        raise ValueError("its answer is no JSON object")
    return document


_KINDS: Mapping[str, Callable[[str, str, str, Ask], tuple[Vulnerability, ...] | None]] = {
    "osv": _by_osv,
    "pypi": _by_pypi,
}
