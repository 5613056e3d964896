"""A locked version is compared with advisories by the rules of who wrote them; what they do not judge is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from envguard.running.advisories.matching import Comparison, compare
from tests.support.command import envguard
from tests.support.local_index import make_authority, serving


def osv(affected: dict[str, object], name: str = "Lead_Package") -> dict[str, object]:
    return {
        "id": "PYSEC-1",
        "aliases": ["CVE-1"],
        "summary": "It is bad",
        "affected": [{"package": {"ecosystem": "PyPI", "name": name}, **affected}],
    }


def events(*each: dict[str, str], kind: str = "ECOSYSTEM") -> dict[str, object]:
    return {"ranges": [{"type": kind, "events": list(each)}]}


def compared(document: object, *packages: tuple[str, str]) -> Comparison:
    return compare(json.dumps(document).encode(), packages)


@pytest.mark.parametrize(
    ("affected", "bad", "good"),
    [
        ({"versions": ["1.0", "1.1"]}, ["1.0", "1.1.0"], ["1.2"]),
        (events({"introduced": "0"}, {"fixed": "1.5"}), ["0.0.1", "1.5rc1", "1.4"], ["1.5", "2.0"]),
        (events({"introduced": "1.0"}, {"last_affected": "1.5"}), ["1.0", "1.5"], ["0.9", "1.5.1"]),
        (
            events({"fixed": "1.2"}, {"introduced": "2"}, {"introduced": "1"}, {"fixed": "3"}),
            ["1.1", "2.5"],
            ["1.2", "3"],
        ),
        (events({"introduced": "1"}), ["1", "99"], ["0.9"]),
        (events({"introduced": "0"}, kind="GIT"), [], ["1.0"]),
    ],
)
def test_a_version_is_affected_as_osv_defines_it(affected: dict[str, object], bad: list[str], good: list[str]) -> None:
    found = compared(osv(affected), *(("lead-package", version) for version in [*bad, *good]))
    assert [each.version for each in found.found] == bad
    assert found.unjudged == ()


def test_all_forms_of_osv_are_read_and_what_is_withdrawn_or_of_others_does_not_count() -> None:
    one = osv(events({"introduced": "0"}, {"fixed": "1.5"}))
    other = {"id": "GO-1", "affected": [{"package": {"ecosystem": "Go", "name": "lead-package"}, "versions": ["1.0"]}]}
    for document in ([one, {**one, "id": "OLD", "withdrawn": "2026-01-01"}, other], {"vulns": [one, other]}, one):
        (found,) = compared(document, ("lead-package", "1.0"), ("apart", "1.0")).found
        assert (found.advisory, found.aliases, found.mended, found.summary) == (
            "PYSEC-1",
            ("CVE-1",),
            ("1.5",),
            "It is bad",
        )
    with pytest.raises(ValueError, match="no advisory about packages of PyPI"):
        compared([other], ("lead-package", "1.0"))


def test_a_range_that_cannot_be_read_is_no_acquittal() -> None:
    found = compared(osv(events({"introduced": "0"}, {"fixed": "one"})), ("lead-package", "1.0"))
    assert (found.found, [package for package, _ in found.unjudged]) == ((), ["lead-package 1.0"])


def test_a_report_of_pip_audits_judges_what_it_names_and_nothing_else() -> None:
    entries = [
        {
            "name": "Lead_Package",
            "version": "1.0",
            "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.5"], "aliases": []}],
        },
        {"name": "good", "version": "1.0", "vulns": []},
        {"name": "local", "skip_reason": "not on the index"},
    ]
    packages = (("lead-package", "1.0"), ("good", "1.0"), ("local", "1.0"), ("good", "2.0"))
    for document in ({"dependencies": entries, "fixes": []}, entries):
        found = compared(document, *packages)
        assert [(each.package, each.mended) for each in found.found] == [("lead-package", ("1.5",))]
        assert [package for package, _ in found.unjudged] == ["local 1.0", "good 2.0"]


@pytest.mark.parametrize(
    "raw",
    [b"", b"{}", b"[1]", b'{"vulns": 1}', b'{"dependencies": [{}]}', b"[" * 100_000, b'[{"id": "A", "affected": 1}]'],
)
def test_what_is_no_document_of_advisories_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        compare(raw, [("lead-package", "1.0")])


def test_the_command_says_by_its_exit_code_whether_one_is_known(tmp_path: Path) -> None:
    def run(source: str, *options: str, **certificates: str) -> tuple[int, str]:
        command = ("vulnerabilities", "docs", "--edition", "1.6", "--python", "3.11", "--advisories", source)
        ended = envguard(*command, *options, home=tmp_path / "home", cwd=None, **certificates)
        return ended.code, ended.out + ended.err

    file = tmp_path / "advisories.json"
    file.write_text(json.dumps(osv(events({"introduced": "0"}), "MkDocs")), encoding="utf-8")
    code, said = run(str(file), "--offline")
    assert code == 1
    assert "mkdocs 1.6.1: PYSEC-1 (CVE-1); no version that mends it is named" in said
    code, said = run(str(file), "--json")
    assert [each["package"] for each in json.loads(said)["vulnerabilities"]] == ["mkdocs"]
    file.write_text(json.dumps(osv(events({"introduced": "0"}, {"fixed": "1.0"}), "MkDocs")), encoding="utf-8")
    assert run(str(file))[0] == 0
    assert run(str(tmp_path / "gone.json"))[0] == 2
    authority = make_authority(tmp_path)
    with serving(tmp_path, authority) as index:
        address = f"https://{index.host}/files/advisories.json"
        assert run(address, SSL_CERT_FILE=str(authority.certificate))[0] == 0
        assert run(address, "--offline", SSL_CERT_FILE=str(authority.certificate))[0] == 2
        assert run(address)[0] == 2  # nobody vouches for that server
        assert "s3cret" not in run(address.replace("https://", "https://me:s3cret@"))[1]
