"""A proof: the record of how a lock did when it was installed for real on a platform and checked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Literal, TypeVar, get_args

from envguard.errors import BrokenData
from envguard.files import write_record
from envguard.locks.platforms import ANY_PLATFORM, Platform, as_platform_name

SCHEMA = 1
LARGEST_FILE = 5_000_000

Record = TypeVar("Record")

ProofResult = Literal["works", "fails", "cannot be installed", "cannot be resolved"]


@dataclass(frozen=True, slots=True)
class Proof:
    """What was installed where, which check ran when, and what it found.

    `lock` is the lock's SHA-256, `date` RFC 3339 in UTC, `seconds` the check's duration, `found` its values. `reason`
    is empty if it works, else the literal words of the tool that failed. If the requirements cannot be resolved there
    is no lock: then `lock` is `LockRequest.digest`, `python` a minor, and `platform` is "any", because locks are made
    for every platform at once. `libc` is the C library with its version, `os_version` the version of a system that is
    not Linux. `emulated` names what stood in for the processor (`qemu 10.0.13`); it is empty on a real one.
    """

    lock: str
    python: str
    platform: str
    libc: str
    date: str
    check: str
    seconds: float
    found: Mapping[str, object] = field(default_factory=dict)
    result: ProofResult = "works"
    reason: str = ""
    os_version: str = ""
    emulated: str = ""

    @property
    def minor(self) -> str:
        """The Python minor: `3.11`."""
        return ".".join(self.python.split(".")[:2])

    @property
    def works(self) -> bool:
        """Whether the lock works; otherwise this is the record of a failure."""
        return self.result == "works"

    @property
    def place(self) -> Platform:
        """Where it was made."""
        return Platform(self.platform, self.libc.partition(" ")[0], self.os_version)

    def as_json(self) -> dict[str, object]:
        """The proof as plain JSON, without what is empty in most."""
        document = asdict(self)
        return {name: value for name, value in document.items() if value or name not in _SELDOM}


_SELDOM = ("os_version", "emulated")


def proof_of(proofs: Iterable[Proof], *, digest: str, python: str, platform: Platform) -> Proof | None:
    """The record of exactly that lock on that Python minor and platform, if there is one; made on a real one if any."""
    of_it = [each for each in proofs if each.lock == digest and each.minor == python and platform.counts(each.place)]
    return min(of_it, key=lambda each: each.emulated != "", default=None)


def with_proof(proofs: Iterable[Proof], new: Proof) -> tuple[Proof, ...]:
    """The records, with the new one in place of the earlier ones for its Python and platform.

    What was seen under emulation takes the place of nothing that was seen on a real machine.
    """
    everywhere = new.platform == ANY_PLATFORM

    def is_replaced(proof: Proof) -> bool:
        stronger = bool(new.emulated) and not proof.emulated and proof.platform != ANY_PLATFORM
        return proof.minor == new.minor and not stronger and (everywhere or new.place.counts(proof.place))

    return tuple(sorted([*(proof for proof in proofs if not is_replaced(proof)), new], key=_place))


def proofs_path(lockfiles: Path, environment: str, edition: str) -> Path:
    """The path of an edition's proofs: next to its locks."""
    return lockfiles / environment / edition / "proofs.json"


def write_proofs(path: Path, proofs: Sequence[Proof]) -> None:
    """Write the records in a stable order and form."""
    write_records(path, "proofs", [each.as_json() for each in sorted(proofs, key=_place)])


def read_proofs(path: Path) -> tuple[Proof, ...]:
    """The records in a file, none if there is no file; raises BrokenData if `write_proofs` did not write it."""
    return read_records(path, "proofs", proof_from_json, command="prove")


def proof_from_json(record: object, where: str) -> Proof:
    """Read what `Proof.as_json` gives; raises ValueError that names the place below `where` for anything else."""
    if not isinstance(record, dict) or set(record) | set(_SELDOM) != {each.name for each in fields(Proof)}:
        raise ValueError(f"{where} does not have the fields of a proof")
    record = dict.fromkeys(_SELDOM, "") | record
    texts = ("lock", "python", "platform", "libc", "date", "check", "reason", *_SELDOM)
    wrong = [name for name in texts if not isinstance(record[name], str) or not record[name].isprintable()]
    if wrong:
        raise ValueError(f"{where}.{wrong[0]} must be a text of printable characters")
    if not isinstance(record["seconds"], (int, float)) or isinstance(record["seconds"], bool):
        raise ValueError(f"{where}.seconds must be a number")
    if not isinstance(record["found"], dict):
        raise ValueError(f"{where}.found must be a table")
    if record["result"] not in get_args(ProofResult):
        raise ValueError(f"{where}.result must be one of: {', '.join(get_args(ProofResult))}")
    if (record["result"] == "works") != (record["reason"] == ""):
        raise ValueError(f"{where}.reason must be given if, and only if, it does not work")
    return Proof(**record | {"platform": as_platform_name(record["platform"])})


def _place(proof: Proof) -> tuple[object, ...]:
    minor = tuple(int(part) for part in proof.minor.split(".") if part.isdigit())
    return (minor, proof.platform, proof.libc, proof.os_version, proof.emulated)


def write_records(path: Path, kind: str, records: Sequence[dict[str, object]]) -> None:
    """Write records of a kind (`proofs`), already in order, in a stable form."""
    document = {"schema": SCHEMA, kind: list(records)}
    write_record(path, (json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode())


def read_records(path: Path, kind: str, read: Callable[[object, str], Record], *, command: str) -> tuple[Record, ...]:
    """The records of a kind in a file, none if there is no file.

    `read` makes one of what `write_records` was given, and raises ValueError that names the place it is told. Raises
    BrokenData for any other file, with the `command` that makes it.
    """
    try:
        if path.exists() and not path.is_file():  # a pipe would never be read to its end
            raise ValueError("it is not a file")
        with path.open("rb") as file:
            raw = file.read(LARGEST_FILE + 1)
        if len(raw) > LARGEST_FILE:
            raise ValueError(f"it is larger than {LARGEST_FILE:,} bytes")
        document = json.loads(raw)
        if not isinstance(document, dict) or set(document) != {"schema", kind} or document["schema"] != SCHEMA:
            raise ValueError(f"it is not of schema {SCHEMA}")
        if not isinstance(document[kind], list):
            raise ValueError(f"its {kind} are not a list")
        return tuple(read(each, f"{kind}[{number}]") for number, each in enumerate(document[kind]))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, RecursionError) as error:
        raise BrokenData(
            f"The {kind} in {path} cannot be read.",
            why=str(error),
            next_step=f"Restore the file from version control, or delete it and run `envguard {command}` again.",
        ) from error
