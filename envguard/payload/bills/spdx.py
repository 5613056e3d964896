"""A bill of materials as SPDX 2.3 in JSON."""

from __future__ import annotations

import io
import re
from datetime import datetime

from license_expression import ExpressionError, LicenseExpression, get_spdx_licensing
from spdx_tools.spdx.model import (
    Actor,
    ActorType,
    Checksum,
    ChecksumAlgorithm,
    CreationInfo,
    Document,
    ExternalPackageRef,
    ExternalPackageRefCategory,
    Package,
    PackagePurpose,
    Relationship,
    RelationshipType,
    SpdxNoAssertion,
)
from spdx_tools.spdx.writer.json import json_writer

from ..contract import Bill, BilledPackage
from .naming import facts, number, purl

DOCUMENT = "SPDXRef-DOCUMENT"
ROOT = "SPDXRef-environment"
_ALGORITHMS = {"SHA-256": ChecksumAlgorithm.SHA256, "SHA-512": ChecksumAlgorithm.SHA512}


def document(bill: Bill) -> str:
    """The document, which SPDX's own library has validated; equal bills give equal bytes."""
    ids = {each.name: _id(each) for each in bill.packages}
    root = Package(
        ROOT,
        bill.environment,
        SpdxNoAssertion(),
        version=bill.edition,
        files_analyzed=False,
        primary_package_purpose=PackagePurpose.APPLICATION,
        comment=", ".join(f"{name} {value}" for name, value in facts(bill).items()),
    )
    relations = [Relationship(DOCUMENT, RelationshipType.DESCRIBES, ROOT)]
    relations += [Relationship(ROOT, RelationshipType.DEPENDS_ON, ids[name]) for name in bill.roots]
    relations += [
        Relationship(ids[each.name], RelationshipType.DEPENDS_ON, ids[name])
        for each in bill.packages
        for name in each.requires
    ]
    about = CreationInfo(
        spdx_version="SPDX-2.3",
        spdx_id=DOCUMENT,
        name=f"{bill.environment}-{bill.edition}",
        document_namespace=number(bill).urn,
        creators=[Actor(ActorType.TOOL, f"envguard-{bill.envguard}")],
        created=datetime.fromisoformat(bill.date.replace("Z", "")),
    )
    whole = Document(about, [root, *map(_package, bill.packages)], relationships=relations)
    written = io.StringIO()
    json_writer.write_document_to_stream(whole, written, validate=True)
    return written.getvalue().rstrip() + "\n"


def _package(package: BilledPackage) -> Package:
    where = purl(package)
    manager = ExternalPackageRefCategory.PACKAGE_MANAGER
    declared, comment = _license(package.license)
    return Package(
        _id(package),
        package.name,
        SpdxNoAssertion(),
        version=package.version,
        supplier=SpdxNoAssertion(),
        files_analyzed=False,
        checksums=[Checksum(_ALGORITHMS[package.algorithm], package.digest)],
        primary_package_purpose=PackagePurpose.LIBRARY,
        external_references=[ExternalPackageRef(manager, "purl", str(where))] if where else [],
        license_concluded=SpdxNoAssertion(),
        license_declared=declared,
        license_comment=comment,
        copyright_text=SpdxNoAssertion(),
    )


def _license(said: str) -> tuple[LicenseExpression | SpdxNoAssertion, str | None]:
    """What a package says, as an expression of SPDX's licenses where it is one, else as a comment."""
    if not said:
        return SpdxNoAssertion(), None
    try:
        return get_spdx_licensing().parse(said, validate=True, strict=True), None
    except ExpressionError:
        return SpdxNoAssertion(), f"The package's metadata says: {said}"


def _id(package: BilledPackage) -> str:
    return f"SPDXRef-{package.origin}-" + re.sub(r"[^A-Za-z0-9.-]", "-", package.name)
