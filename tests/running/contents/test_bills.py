"""Bills of materials say what is installed, are what their formats ask for, and the same for the same lock."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from referencing import Registry, Resource

from envguard.payload.contract import Bill, BilledPackage
from envguard.running.contents.bills import bill_of, written_bill
from envguard.running.environments.prepared import Prepared
from tests.support.command import envguard
from tests.support.environments import workshop

pytestmark = [pytest.mark.network, pytest.mark.slow]

READ = """
import sys
from spdx_tools.spdx.parser.json.json_parser import JsonLikeDictParser, json
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document
document = JsonLikeDictParser().parse(json.load(open(sys.argv[1])))
print(*[each.validation_message for each in validate_full_spdx_document(document)])
"""


@pytest.fixture(scope="module")
def tools(store_home: Path) -> Prepared:
    """The environment that writes bills."""
    return workshop(store_home).prepare("sbom")


@pytest.fixture(scope="module")
def bill(tools: Prepared) -> Bill:
    """A bill of it, with a package of each other origin, and licenses that nobody could foresee."""
    found = bill_of(tools)
    others = (
        BilledPackage("mine", "1.0+local", "project", "SHA-256", "c" * 64, 'MIT" OR (', ("odd",)),
        BilledPackage("odd", "2", "pypi", "SHA-256", "d" * 64, "<script>\u202e\x1b[31m</script>"),
        BilledPackage("@scope/part.one", "3.0.0-rc.1", "npm", "SHA-512", "e" * 128, "Apache-2.0 WITH LLVM-exception"),
    )
    return replace(found, roots=(*found.roots, "mine", "@scope/part.one"), packages=(*found.packages, *others))


def exported(form: str, home: Path, to: Path) -> bytes:
    ended = envguard("export", "sbom", "--format", form, "-o", to, home=home)
    assert (ended.code, ended.out) == (0, ""), ended.err
    return to.read_bytes()


def cyclonedx_complaints(document: Any, tools: Prepared) -> list[str]:
    """What CycloneDX's own schema says against a document."""
    folder = tools.built.layout.site_packages / "cyclonedx" / "schema" / "_res"
    schemas = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.schema.json")}
    schema = schemas["bom-1.6.SNAPSHOT.schema.json"]
    place = schema["$id"].rpartition("/")[0]  # the library renames the files, and what refers to them
    found = ((f"{place}/{name}", Resource.from_contents(each)) for name, each in schemas.items())
    registry: Registry[Any] = Registry().with_resources(found)
    return [each.message for each in Draft7Validator(schema, registry=registry).iter_errors(document)]


def test_cyclonedx_is_valid_and_says_what_tree_and_licenses_say(
    tools: Prepared, store_home: Path, tmp_path: Path
) -> None:
    written = exported("cyclonedx", store_home, tmp_path / "bom.json")
    document = json.loads(written)
    assert cyclonedx_complaints(document, tools) == []
    assert cyclonedx_complaints({**document, "components": [{}]}, tools) != []
    wheels = {each.name: {wheel.sha256 for wheel in each.wheels} for each in tools.candidate.lock.packages}
    components = {each["name"]: each for each in document["components"]}
    assert components.keys() == wheels.keys()
    tree = {each["name"]: each for each in envguard("tree", "sbom", "--json", home=store_home).document["packages"]}
    needs = {each["ref"]: each.get("dependsOn", []) for each in document["dependencies"]}
    for name, each in components.items():
        assert each["purl"] == f"pkg:pypi/{name}@{tree[name]['version']}"
        assert {said["content"] for said in each["hashes"]} <= wheels[name]
        installed = components.keys() & tree[name]["requires"]  # overrides leave some out
        assert needs[each["purl"]] == sorted(components[need]["purl"] for need in installed)
    licenses = envguard("licenses", "sbom", "--json", home=store_home).document["packages"]
    for each in licenses:
        said = components[each["name"]]["licenses"][0]
        assert each["license"] in (said.get("expression"), *said.get("license", {}).values())
    assert b"://" not in written.replace(document["$schema"].encode(), b"")
    assert exported("cyclonedx", store_home, tmp_path / "again.json") == written


def test_spdx_is_valid_and_the_same_twice(tools: Prepared, store_home: Path, tmp_path: Path) -> None:
    written = exported("spdx", store_home, tmp_path / "bill.json")
    said = subprocess.run(
        [tools.built.layout.python, "-I", "-c", READ, tmp_path / "bill.json"], capture_output=True, text=True
    )
    assert (said.returncode, said.stdout.strip()) == (0, ""), said.stderr
    document = json.loads(written)
    names = {each["name"] for each in document["packages"]}
    assert names == {"sbom", *(each.name for each in tools.candidate.lock.packages)}
    depends = {each["relationshipType"] for each in document["relationships"]}
    assert depends == {"DESCRIBES", "DEPENDS_ON"}
    assert b"://" not in written
    assert exported("spdx", store_home, tmp_path / "again.json") == written


def test_strange_packages_and_licenses_spoil_no_document(bill: Bill, tools: Prepared, store_home: Path) -> None:
    shop = workshop(store_home)
    document = json.loads(written_bill(bill, "cyclonedx", shop))
    assert cyclonedx_complaints(document, tools) == []
    components = {each["name"]: each for each in document["components"]}
    assert "purl" not in components["mine"], "no index knows a wheel of the project"
    assert components["@scope/part.one"]["purl"] == "pkg:npm/%40scope/part.one@3.0.0-rc.1"
    packages = {each["name"]: each for each in json.loads(written_bill(bill, "spdx", shop))["packages"]}
    assert packages["@scope/part.one"]["licenseDeclared"] == "Apache-2.0 WITH LLVM-exception"
    assert packages["odd"]["licenseDeclared"] == "NOASSERTION"
    assert "script" in packages["odd"]["licenseComments"]
