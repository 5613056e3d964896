"""Files that two distributions install with different content: whose is there, and which packages share them."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from envguard.errors import NoEnvironment
from envguard.store.identity import Identity
from envguard.store.manifest import Manifest
from envguard.store.records import ListedFile, is_as_listed

SHOWN = 3


@dataclass(frozen=True, slots=True)
class Overlap:
    """A file that several distributions list: its path from site-packages, its `owners` in order, and whose it is.

    `kept` is empty if it is none of theirs.
    """

    path: str
    owners: tuple[str, ...]
    kept: str

    def as_json(self) -> dict[str, object]:
        """The overlap as plain JSON."""
        return {**asdict(self), "owners": list(self.owners)}

    @staticmethod
    def from_json(value: object) -> Overlap:
        """Read what `as_json` gives; raises ValueError for anything else."""
        if not isinstance(value, dict) or set(value) != {each.name for each in fields(Overlap)}:
            raise ValueError("overlaps has an entry of another form")
        owners = value["owners"]
        if not isinstance(owners, list) or not all(isinstance(each, str) for each in (*owners, *value)):
            raise ValueError("overlaps has an entry of another form")
        return Overlap(str(value["path"]), tuple(owners), str(value["kept"]))


class OverlappingPackages(NoEnvironment):
    """Packages of an environment install the same files with different content (exit code 3)."""

    def __init__(self, identity: Identity, overlaps: Sequence[Overlap]) -> None:
        owners = _owners(overlaps)
        shown = ", ".join(each.path for each in overlaps[:SHOWN])
        more = f" and {len(overlaps) - SHOWN} more" if len(overlaps) > SHOWN else ""
        super().__init__(
            f"{_listed(owners)} install the same files of {identity.environment}, and these differ.",
            why=f"each would overwrite the others' {shown}{more}",
            next_step="Require one of them alone, or leave one out that another package asks for: "
            f"overrides = [\"{owners[0]} ; python_version < '0'\"]. If it does not matter whose files are kept, "
            'write overlaps = "allow" into the environment.',
        )


def overlaps_in(
    listed: Iterable[ListedFile], entries: Manifest, below: str, site_packages: Path
) -> tuple[Overlap, ...]:
    """Those of the files below a scanned `site_packages` that distributions list with different content, by path.

    `below` is the name of the folder among the `entries`.
    """
    owners: dict[str, list[ListedFile]] = defaultdict(list)
    for each in listed:
        owners[posixpath.normpath(each.path)].append(each)
    differing = {path: files for path, files in owners.items() if len({each.recorded for each in files} - {""}) > 1}
    return tuple(
        Overlap(path, tuple(each.distribution for each in files), _kept(files, entries, below, site_packages))
        for path, files in sorted(differing.items())
    )


def _kept(listed: Sequence[ListedFile], entries: Manifest, below: str, site_packages: Path) -> str:
    entry = entries.get(posixpath.normpath(f"{below}/{listed[0].path}"))
    if entry is None:
        return ""
    return next((each.distribution for each in listed if is_as_listed(each, entry, site_packages)), "")


def _owners(overlaps: Sequence[Overlap]) -> list[str]:
    return sorted({_package(owner) for each in overlaps for owner in each.owners})


def _package(distribution: str) -> str:
    return distribution.partition("-")[0].replace("_", "-")


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
