"""A bill of materials as CycloneDX 1.6 in JSON."""

from __future__ import annotations

from datetime import datetime

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import LicenseAcknowledgement
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion

from ..contract import Bill, BilledPackage
from .naming import facts, number, purl


def document(bill: Bill) -> str:
    """The document; equal bills give equal bytes."""
    components = {each.name: _component(each) for each in bill.packages}
    root = Component(
        type=ComponentType.APPLICATION,
        name=bill.environment,
        version=bill.edition,
        bom_ref=f"environment:{bill.environment}@{bill.edition}",
        properties=[Property(name=name, value=value) for name, value in facts(bill).items()],
    )
    bom = Bom(components=components.values(), serial_number=number(bill))
    bom.metadata.timestamp = datetime.fromisoformat(bill.date.replace("Z", "+00:00"))
    bom.metadata.tools.components.add(
        Component(type=ComponentType.APPLICATION, name="envguard", version=bill.envguard, bom_ref="tool:envguard")
    )
    bom.metadata.component = root
    bom.register_dependency(root, [components[name] for name in bill.roots])
    for each in bill.packages:
        bom.register_dependency(components[each.name], [components[name] for name in each.requires])
    return str(make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=2)) + "\n"


def _component(package: BilledPackage) -> Component:
    where = purl(package)
    said = package.license
    declared = LicenseAcknowledgement.DECLARED
    return Component(
        type=ComponentType.LIBRARY,
        name=package.name,
        version=package.version,
        bom_ref=str(where or f"{package.origin}:{package.name}@{package.version}"),
        purl=where,
        hashes=[HashType(alg=HashAlgorithm(package.algorithm), content=package.digest)],
        licenses=[LicenseFactory().make_from_string(said, license_acknowledgement=declared)] if said else (),
    )
