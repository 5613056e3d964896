"""A model file as MediaPipe takes it: a `.task` bundle of models and other members, or one bare `.tflite`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..protocol import Refused
from . import archive
from .archive import Archive, Member

MODEL_SUFFIX = ".tflite"
BUNDLE_SUFFIX = ".task"
MAX_DEPTH = 3
"""How deep bundles may lie in bundles; MediaPipe's own go two deep (holistic, gestures)."""


@dataclass(frozen=True)
class ModelFile:
    """One TFLite model: its name as a user says it (`face_detector`, `hand_landmarker/hand_detector`), its bytes."""

    name: str
    data: bytes


@dataclass(frozen=True)
class Bundle:
    """What the file at `path` held when it was read.

    `content` is an archive for a bundle, and the model's own bytes for a bare `.tflite`.
    """

    path: Path
    content: Archive | bytes

    @property
    def suffix(self) -> str:
        """The suffix that a rewritten copy takes: `.task` or `.tflite`."""
        return MODEL_SUFFIX if isinstance(self.content, bytes) else BUNDLE_SUFFIX

    def models(self) -> tuple[ModelFile, ...]:
        """All TFLite models in the order of their members, those in nested bundles too."""
        if isinstance(self.content, bytes):
            return (ModelFile(self.path.stem, self.content),)
        return tuple(
            ModelFile(display_name(path), member.data)
            for path, member in _walk(self.content, str(self.path))
            if is_model(member.data)
        )

    def members(self) -> tuple[tuple[str, int], ...]:
        """Path in the archive and size in bytes of every member, nested ones too; empty for a bare model."""
        if isinstance(self.content, bytes):
            return ()
        return tuple((path, len(member.data)) for path, member in _walk(self.content, str(self.path)))

    def replaced(self, models: Mapping[str, bytes]) -> Bundle:
        """The same bundle with other bytes for the named models and every other byte of every member kept."""
        if isinstance(self.content, bytes):
            return Bundle(self.path, models.get(self.path.stem, self.content))
        return Bundle(self.path, _rewritten(self.content, str(self.path), "", models, frozenset()))

    def without(self, names: Sequence[str]) -> Bundle:
        """The bundle without the named models or nested bundles; `Refused` if a name is unknown or no model is left."""
        if not names:
            return self
        if isinstance(self.content, bytes):
            raise Refused(f"{self.path.name} is a single model, so there is nothing in it to drop.")
        known = {display_name(path) for path, member in _walk(self.content, str(self.path)) if _is_part(member)}
        unknown = sorted({display_name(name) for name in names} - known)
        if unknown:
            raise Refused(
                f"{self.path.name} has no model called {unknown[0]!r} to drop.",
                next_step=f"It holds: {', '.join(sorted(known))}.",
            )
        dropped = frozenset(display_name(name) for name in names)
        rest = Bundle(self.path, _rewritten(self.content, str(self.path), "", {}, dropped))
        if not rest.models():
            raise Refused(f"Dropping {', '.join(sorted(dropped))} would leave no model in {self.path.name}.")
        return rest

    def to_bytes(self) -> bytes:
        """The file's bytes: the model itself, or a ZIP of stored and aligned members."""
        return self.content if isinstance(self.content, bytes) else archive.write(self.content)


def read(path: Path) -> Bundle:
    """Read and judge the file at `path`; `Refused` says in one sentence why it is neither a bundle nor a model."""
    data = _read_file(path)
    if is_model(data):
        return Bundle(path, data)
    if not archive.is_archive(data):
        raise Refused(
            f"{path.name} is neither a MediaPipe bundle (.task) nor a TFLite model (.tflite).",
            why="It starts neither as a ZIP archive nor as a TFLite flatbuffer.",
        )
    bundle = Bundle(path, archive.read(data, path.name))
    if not bundle.models():
        raise Refused(f"{path.name} is a ZIP archive without a TFLite model in it.")
    return bundle


def is_model(data: bytes) -> bool:
    """Whether the bytes carry TFLite's file identifier."""
    return data[4:8] == b"TFL3"


def display_name(member_path: str) -> str:
    """`hand_landmarker.task/hand_detector.tflite` as users say it: `hand_landmarker/hand_detector`."""
    parts = (part[: -len(suffix)] if part.endswith(suffix) else part for part, suffix in _parts(member_path))
    return "/".join(parts)


def _parts(member_path: str) -> Iterator[tuple[str, str]]:
    *folders, last = member_path.split("/")
    for folder in folders:
        yield folder, BUNDLE_SUFFIX
    yield last, BUNDLE_SUFFIX if last.endswith(BUNDLE_SUFFIX) else MODEL_SUFFIX


def _is_bundle(member: Member) -> bool:
    """Whether the member is a bundle itself; a ZIP by any other name is left as it is."""
    return member.name.endswith(BUNDLE_SUFFIX) and archive.is_archive(member.data)


def _is_part(member: Member) -> bool:
    return is_model(member.data) or _is_bundle(member)


def _read_file(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > archive.MAX_BYTES:
            raise Refused(f"{path.name} has {size:,} bytes; files up to {archive.MAX_BYTES:,} bytes are taken.")
        data = path.read_bytes()
    except FileNotFoundError as cause:
        raise Refused(f"There is no file {path}.") from cause
    except OSError as cause:
        raise Refused(f"{path} cannot be read.", why=cause.strerror or str(cause)) from cause
    if not data:
        raise Refused(f"{path.name} is empty.")
    return data


def _walk(content: Archive, where: str, prefix: str = "", depth: int = 1) -> Iterator[tuple[str, Member]]:
    """Every member with its path, a nested bundle before its own members."""
    if depth > MAX_DEPTH:
        raise Refused(f"{where} nests bundles more than {MAX_DEPTH} deep.")
    for member in content.members:
        path = prefix + member.name
        yield path, member
        if _is_bundle(member):
            nested = archive.read(member.data, f"{where}/{member.name}")
            yield from _walk(nested, f"{where}/{member.name}", path + "/", depth + 1)


def _rewritten(
    content: Archive, where: str, prefix: str, models: Mapping[str, bytes], dropped: frozenset[str]
) -> Archive:
    members = []
    for member in content.members:
        path = prefix + member.name
        name = display_name(path)
        if _is_part(member) and name in dropped:
            continue
        data = member.data
        if _is_bundle(member):
            nested = archive.read(data, f"{where}/{member.name}")
            changed = _rewritten(nested, f"{where}/{member.name}", path + "/", models, dropped)
            data = data if changed == nested else archive.write(changed)
        elif is_model(data):
            data = models.get(name, data)
        members.append(Member(member.name, data, member.date_time, member.attributes, member.system))
    return Archive(tuple(members), content.comment)
