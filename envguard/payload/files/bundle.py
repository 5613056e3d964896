"""A model file as MediaPipe takes it: a `.task` bundle of models and other members, or one bare `.tflite`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..protocol import Refused
from . import archive
from .archive import Archive, Member

MODEL_SUFFIX = ".tflite"
BUNDLE_SUFFIX = ".task"
MAX_DEPTH = 8
"""How deep bundles may lie in bundles; MediaPipe's own go two deep (gestures)."""


@dataclass(frozen=True)
class ModelFile:
    """One TFLite model: its path in the bundle, its bytes, and its name: the path as short as is unique.

    `hand_landmarker.task/hand_detector.tflite` is called `hand_landmarker/hand_detector`.
    """

    path: str
    name: str
    data: bytes


@dataclass(frozen=True)
class Bundle:
    """What the file at `path` held when it was read.

    `content` is an archive for a bundle, and the model's own bytes for a bare `.tflite`. `names` are those of models
    and nested bundles by path, as they were in the whole file: dropping one renames no other.
    """

    path: Path
    content: Archive | bytes
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def suffix(self) -> str:
        """The suffix that a rewritten copy takes: `.task` or `.tflite`."""
        return MODEL_SUFFIX if isinstance(self.content, bytes) else BUNDLE_SUFFIX

    def models(self) -> tuple[ModelFile, ...]:
        """All TFLite models in the order of their members, those in nested bundles too."""
        if isinstance(self.content, bytes):
            return (ModelFile(self.path.name, self.path.stem, self.content),)
        return tuple(
            ModelFile(path, self.names[path], member.data)
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
            return replace(self, content=models.get(self.path.stem, self.content))
        changes = {path: models[name] for path, name in self.names.items() if name in models}
        return replace(self, content=_rewritten(self.content, str(self.path), Changes(changes)))

    def without(self, names: Sequence[str]) -> Bundle:
        """The bundle without the models or nested bundles of those names or paths.

        `Refused` if one is unknown, or may be any of several, or no model is left.
        """
        if not names:
            return self
        if isinstance(self.content, bytes):
            raise Refused(f"{self.path.name} is a single model, so there is nothing in it to drop.")
        dropped = frozenset(self._path_of(name) for name in names)
        rest = replace(self, content=_rewritten(self.content, str(self.path), Changes(dropped=dropped)))
        if not rest.models():
            called = ", ".join(sorted(self.names[path] for path in dropped))
            raise Refused(f"Dropping {called} would leave no model in {self.path.name}.")
        return rest

    def _path_of(self, said: str) -> str:
        """The path of the model or nested bundle that a user names, with or without suffixes."""
        if said in self.names:
            return said
        wanted = display_name(said)
        found = [path for path in self.names if display_name(path) == wanted]
        if len(found) == 1:
            return found[0]
        known = ", ".join(sorted(found or self.names.values()))
        if found:
            raise Refused(f"{self.path.name} has several members called {said!r}.", next_step=f"Name one of: {known}.")
        raise Refused(f"{self.path.name} has no model called {said!r} to drop.", next_step=f"It holds: {known}.")

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
    content = archive.read(data, path.name)
    parts = [member_path for member_path, member in _walk(content, str(path)) if _is_part(member)]
    bundle = Bundle(path, content, short_names(parts))
    if not bundle.models():
        raise Refused(f"{path.name} is a ZIP archive without a TFLite model in it.")
    return bundle


def is_model(data: bytes) -> bool:
    """Whether the bytes carry TFLite's file identifier."""
    return data[4:8] == b"TFL3"


def display_name(member_path: str) -> str:
    """The path without suffixes, which several members may share: see `short_names` for what tells them apart."""
    parts = (part[: -len(suffix)] if _has(part, suffix) else part for part, suffix in _parts(member_path))
    return "/".join(parts)


def short_names(paths: Iterable[str]) -> dict[str, str]:
    """By path, what each is called: the path without suffixes where nothing else has that name, else the whole path."""
    shortened = {path: display_name(path) for path in paths}
    sharing = Counter(shortened.values())
    return {
        path: name if sharing[name] == 1 and (name == path or name not in shortened) else path
        for path, name in shortened.items()
    }


def _has(part: str, suffix: str) -> bool:
    return part.endswith(suffix) and part != suffix


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


def _walk(content: Archive, where: str) -> Iterator[tuple[str, Member]]:
    """Every member with its path, a nested bundle before its own members."""
    seen: set[str] = set()
    for path, member in _nested(content, where):
        if path in seen:
            raise Refused(f"{where} has two members with the path {path!r}.")
        seen.add(path)
        if len(seen) > archive.MAX_MEMBERS:
            raise Refused(f"{where}, with the bundles in it, has more than {archive.MAX_MEMBERS} members.")
        yield path, member


def _nested(content: Archive, where: str, prefix: str = "", depth: int = 1) -> Iterator[tuple[str, Member]]:
    if depth > MAX_DEPTH:
        raise Refused(f"{where} nests bundles more than {MAX_DEPTH} deep.")
    for member in content.members:
        path = prefix + member.name
        yield path, member
        if _is_bundle(member):
            inside = f"{where}/{member.name}"
            yield from _nested(archive.read(member.data, inside), inside, path + "/", depth + 1)


@dataclass(frozen=True)
class Changes:
    """What is to be different in a bundle: other bytes for some models, and members left out, all by path."""

    models: Mapping[str, bytes] = field(default_factory=dict)
    dropped: frozenset[str] = frozenset()


def _rewritten(content: Archive, where: str, changes: Changes, prefix: str = "") -> Archive:
    members = []
    for member in content.members:
        path = prefix + member.name
        if path in changes.dropped:
            continue
        data = member.data
        if _is_bundle(member):
            inside = f"{where}/{member.name}"
            nested = archive.read(data, inside)
            changed = _rewritten(nested, inside, changes, path + "/")
            data = data if changed == nested else archive.write(changed)
        elif is_model(data):
            data = changes.models.get(path, data)
        members.append(replace(member, data=data))
    return Archive(tuple(members), content.comment)
