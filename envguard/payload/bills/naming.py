"""What both formats call a package, and which number a document has."""

from __future__ import annotations

import json
from uuid import UUID, uuid5

from packageurl import PackageURL

from ..contract import Bill, BilledPackage, to_json

OURS = UUID("5d0bd2a6-7f0c-5b0f-9a55-0d6b9d6c2f4e")


def purl(package: BilledPackage) -> PackageURL | None:
    """The package URL, without the address of an index; None for what no index knows."""
    if package.origin == "project":
        return None
    namespace, _, name = package.name.rpartition("/")
    return PackageURL(package.origin, namespace or None, name, package.version)


def number(bill: Bill) -> UUID:
    """A number that no bill with another content has."""
    return uuid5(OURS, json.dumps(to_json(bill), sort_keys=True))


def facts(bill: Bill) -> dict[str, str]:
    """What identifies the environment, by the names that documents give it."""
    return {
        "envguard:edition": bill.edition,
        "envguard:lock:sha256": bill.lock,
        "envguard:platform": bill.platform,
        "envguard:python": bill.python,
    }
