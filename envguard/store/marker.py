"""The marker that makes a folder a ready environment: written last, and sealed against damage."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from envguard.files import write_whole
from envguard.layout import Layout
from envguard.locks.proofs import Proof, proof_from_json
from envguard.store.fingerprint import MARKER
from envguard.store.identity import Identity
from envguard.store.manifest import digest
from envguard.store.overlaps import Overlap

_TEXTS = ("python", "site_packages", "interpreter", "manifest")


@dataclass(frozen=True, slots=True)
class ReadyMarker:
    """What a marker says: which environment this is, its proof, and where its parts lie.

    `python` and `site_packages` are below the environment's folder, `interpreter` is the real file behind `python`,
    `manifest` the SHA-256 of the manifest. Where the interpreter lies in an image, `python` is its path there and
    `interpreter` is empty. `overlaps` are the files that several distributions install, if that is allowed.
    """

    identity: Identity
    proof: Proof
    python: str
    site_packages: str
    interpreter: str
    manifest: str
    overlaps: tuple[Overlap, ...] = ()

    def layout(self, folder: Path) -> Layout:
        """Where the parts lie if `folder` is the environment's."""
        return Layout(folder / self.python, folder / self.site_packages, in_image=not self.interpreter)


def read_marker(folder: Path) -> ReadyMarker:
    """The marker of an environment's folder.

    Raises FileNotFoundError if there is none, and OSError or ValueError if it is damaged: its `seal` is the SHA-256 of
    the rest.
    """
    document = json.loads((folder / MARKER).read_bytes())
    if not isinstance(document, dict) or document.pop("seal", None) != _seal(document):
        raise ValueError("its seal does not match its content")
    texts = {name: document.get(name) for name in _TEXTS}
    for name, value in texts.items():
        if not isinstance(value, str):
            raise ValueError(f"{name} is {value!r}")
    return ReadyMarker(
        identity=Identity.from_json(document.get("identity")),
        proof=proof_from_json(document.get("proof"), "proof"),
        overlaps=_overlaps(document.get("overlaps", [])),
        **{name: str(value) for name, value in texts.items()},
    )


def write_marker(folder: Path, marker: ReadyMarker) -> None:
    """Write the marker; from then on the environment is ready."""
    document: dict[str, object] = {name: getattr(marker, name) for name in _TEXTS}
    document |= {"identity": marker.identity.as_json(), "proof": marker.proof.as_json()}
    if marker.overlaps:
        document["overlaps"] = [each.as_json() for each in marker.overlaps]
    document["seal"] = _seal(document)
    write_whole(folder / MARKER, json.dumps(document, indent=1, sort_keys=True).encode())


def _overlaps(value: object) -> tuple[Overlap, ...]:
    if not isinstance(value, list):
        raise ValueError("overlaps is no list")
    return tuple(map(Overlap.from_json, value))


def _seal(document: dict[str, object]) -> str:
    return digest(json.dumps(document, sort_keys=True).encode())
