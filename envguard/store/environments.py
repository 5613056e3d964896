"""Get an environment that is ready, or build it: under a lock, audited, proved, marked ready last."""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from envguard.errors import NoEnvironment
from envguard.files import write_whole
from envguard.layout import Layout
from envguard.locks.proofs import Proof
from envguard.store.fingerprint import FINGERPRINT, MARKER, take_fingerprint, why_changed
from envguard.store.home import environments_folder
from envguard.store.locking import build_lock, in_use
from envguard.store.manifest import MANIFEST, digest, manifest_bytes, scan
from envguard.store.records import Damage, audit_entries

SCHEMA = 1
DAMAGES_SHOWN = 3
OWN_FILES = frozenset({MARKER, MANIFEST, FINGERPRINT})


class DamagedInstall(NoEnvironment):
    """What was just installed is not what its distributions list: the installer's cache is damaged, or the disk."""

    def __init__(self, identity: Identity, damages: Sequence[Damage]) -> None:
        shown = "; ".join(f"{damage.distribution}: {damage.path} is {damage.why}" for damage in damages[:DAMAGES_SHOWN])
        super().__init__(
            f"The installed files of {identity.environment} {identity.edition} are not those of its distributions.",
            why=f"{len(damages)} differ: {shown}",
            next_step="Check the disk, empty envguard's `uv-cache` folder, and run again.",
        )
        self.distributions = tuple(dict.fromkeys(damage.distribution.partition("-")[0] for damage in damages))


@dataclass(frozen=True, slots=True)
class Identity:
    """All that makes an environment what it is; two that agree in it are the same environment.

    `interpreter` is the real path, of a Python in an image after the image's id, `python_version` the full version,
    `python_build` what `sys.version` says of the build, `lock` the lock's SHA-256. Where and when it is built, and from
    which mirror, is not part of it.
    """

    environment: str
    edition: str
    lock: str
    interpreter: str
    python_version: str
    python_build: str
    platform: str
    backend: str
    schema: int = SCHEMA

    @property
    def key(self) -> str:
        """SHA-256 over all fields, in hex."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    @property
    def folder_name(self) -> str:
        """A name that says what it is and that no other identity has."""
        python = "".join(self.python_version.split(".")[:2])
        return f"{self.environment}-{self.edition}-cp{python}-{self.key[:16]}"


@dataclass(frozen=True, slots=True)
class BuiltEnvironment:
    """A ready environment on disk; `fresh` if this very call built it."""

    identity: Identity
    folder: Path
    layout: Layout
    proof: Proof
    fresh: bool


class Watcher(Protocol):
    """Who is told what the store does; each text is one line for a user."""

    def building(self, environment: str, why: str) -> None:
        """An environment is being built, and why it was not there."""

    def waiting(self, environment: str, holder: str) -> None:
        """Another process builds the same environment."""


def ensure(
    home: Path,
    identity: Identity,
    *,
    build: Callable[[Path, tuple[int, ...]], Layout],
    prove: Callable[[Layout], Proof],
    watcher: Watcher,
) -> BuiltEnvironment:
    """The environment of that identity, built now unless it is ready.

    `build` fills a folder and inherits the given descriptors to its children; `prove` runs the check. What they raise
    passes through, and nothing is left that could be taken for an environment.
    """
    folder = environments_folder(home) / identity.folder_name
    found, why = read_ready(folder, identity)
    if found is not None:
        return found
    make_folder(folder.parent)
    waiting = lambda holder: watcher.waiting(identity.environment, holder)  # noqa: E731
    with build_lock(folder.with_name(folder.name + ".lock"), waiting=waiting) as descriptors:
        found, why = read_ready(folder, identity)
        if found is not None:
            return found
        watcher.building(identity.environment, why)
        _clear(folder)
        try:
            layout = build(folder, descriptors)
            recorded = _record(folder, layout, identity)
            proof = prove(layout)
            _mark_ready(folder, identity, proof, recorded)
        except OSError as error:
            _clear(folder)
            raise _cannot_write(folder, error) from error
        except BaseException:
            _clear(folder)
            raise
    return BuiltEnvironment(identity, folder, layout, proof, fresh=True)


def read_ready(folder: Path, identity: Identity) -> tuple[BuiltEnvironment | None, str]:
    """The ready environment in a folder, or None and the reason why there is none."""
    try:
        marker = read_marker(folder)
        if marker["identity"] != asdict(identity):
            return None, "it was made of other parts"
        in_image = not marker["interpreter"]
        layout = Layout(folder / marker["python"], folder / marker["site_packages"], in_image)
        proof = Proof(**marker["proof"])
        why = why_changed(str(folder), marker["python"], marker["interpreter"])
    except FileNotFoundError:
        return None, "an earlier build did not finish" if folder.exists() else "it is not built yet"
    except (OSError, ValueError, KeyError, TypeError):
        return None, "its marker is damaged"
    return (None, why) if why else (BuiltEnvironment(identity, folder, layout, proof, fresh=False), "")


def read_marker(folder: Path) -> dict[str, Any]:
    """What the marker says; raises FileNotFoundError where there is none, OSError or ValueError if it is damaged.

    Its `seal` is the SHA-256 of the rest, so that a damaged marker is not taken for a sound one.
    `identity` and `proof` have the fields of their classes, `python` and `site_packages` are below the folder,
    `interpreter` is the real file behind `python`, and `manifest` the SHA-256 of the manifest. Where the interpreter
    lies in an image, `python` is its path there, and `interpreter` is empty.
    """
    marker = json.loads((folder / MARKER).read_bytes())
    if not isinstance(marker, dict) or marker.pop("seal", None) != _seal(marker):
        raise ValueError("it is not as it was written")
    return marker


def _seal(marker: dict[str, Any]) -> str:
    return digest(json.dumps(marker, sort_keys=True).encode())


def _record(folder: Path, layout: Layout, identity: Identity) -> dict[str, str]:
    """Read every installed file once, refuse what no distribution lists so, and write down what is there.

    Gives back what the marker says of it.
    """
    entries = scan(folder)
    damages = audit_entries(entries, layout.site_packages.relative_to(folder).as_posix(), layout.site_packages)
    if damages:
        raise DamagedInstall(identity, damages)
    manifest = manifest_bytes(entries)
    interpreter = "" if layout.in_image else str(layout.python.resolve())
    write_whole(folder / MANIFEST, manifest)
    write_whole(folder / FINGERPRINT, take_fingerprint(str(folder), filter(None, [*entries, MANIFEST, interpreter])))
    python = layout.python if layout.in_image else layout.python.relative_to(folder)
    return {
        "python": python.as_posix(),
        "site_packages": layout.site_packages.relative_to(folder).as_posix(),
        "interpreter": interpreter,
        "manifest": digest(manifest),
    }


def _mark_ready(folder: Path, identity: Identity, proof: Proof, recorded: dict[str, str]) -> None:
    why = why_changed(str(folder), recorded["python"], recorded["interpreter"])
    if why:
        raise NoEnvironment(
            f"The check of {identity.environment} {identity.edition} changed the environment that it was to prove.",
            why=why,
            next_step="Run the same command again; if it comes back, report it.",
        )
    marker: dict[str, Any] = {"identity": asdict(identity), "proof": proof.as_json(), **recorded}
    marker["seal"] = _seal(marker)
    with in_use(folder):  # from now on there is a time of last use
        write_whole(folder / MARKER, json.dumps(marker, indent=1, sort_keys=True).encode())


def make_folder(folder: Path) -> None:
    """Make a folder of the store; raises NoEnvironment where that cannot be done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NoEnvironment(
            f"The store {folder} cannot be made.",
            why=str(error),
            next_step="Set ENVGUARD_HOME to a folder that you may write to.",
        ) from error


def _cannot_write(folder: Path, error: OSError) -> NoEnvironment:
    free = ""
    with contextlib.suppress(OSError):
        free = f"; {shutil.disk_usage(folder.parent).free / 1e6:,.1f} MB are free there"
    return NoEnvironment(
        f"The environment {folder.name} cannot be written.",
        why=f"{error}{free}",
        next_step="Free some space, for example with `envguard store prune`, or set ENVGUARD_HOME to another folder.",
    )


def move_aside(folder: Path) -> Path | None:
    """Take a folder out of the way under a name that nothing looks for; a link is only unlinked, and is not there."""
    if folder.is_symlink():
        folder.unlink()
    elif folder.exists():
        return folder.replace(folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.broken"))
    return None


def _clear(folder: Path) -> None:
    aside = move_aside(folder)
    if aside is not None:
        shutil.rmtree(aside, ignore_errors=True)
