"""Images of environments in the engine: build them without network, find, remove, save and load them."""

from __future__ import annotations

import tarfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from envguard.backends.engine import Engine, told_by
from envguard.backends.image_context import TAR, tag_of, write_context
from envguard.backends.inside import PYTHON, site_packages_in_image
from envguard.backends.inspected import InspectedImage, inspect, read_answer
from envguard.backends.protocol import Installed
from envguard.errors import BadInput, NoEnvironment
from envguard.files import CHUNK, appearing_whole
from envguard.layout import Layout
from envguard.planning import Candidate

KEY, LOCK, NAME, EDITION = "envguard.key", "envguard.lock", "envguard.environment", "envguard.edition"
OURS = "envguard/"


@dataclass(frozen=True, slots=True)
class Image:
    """An image of an environment in the engine: envguard's tags for it, what it was built from, its size in bytes."""

    id: str
    tags: tuple[str, ...]
    environment: str
    edition: str
    lock: str
    key: str
    created: str
    bytes: int

    def as_json(self) -> dict[str, object]:
        """The image for `--json`."""
        return {
            "id": self.id,
            "tags": list(self.tags),
            "environment": self.environment,
            "edition": self.edition,
            "lock": self.lock,
            "key": self.key,
            "created": self.created,
            "bytes": self.bytes,
        }


def images(engine: Engine, label: str = KEY) -> tuple[Image, ...]:
    """The images of environments, by tag; `label` narrows the choice.

    Those that lost their tags to a newer build come first; images that others built on top are left out.
    """
    with told_by(engine, "list its images"):
        found = engine.client.api.images(filters={"label": label})
        read = [inspect(engine, each["Id"]) for each in found]
    ours = (_image(each) for each in read if not each.tags or any(map(_is_ours, each.tags)))
    return tuple(sorted(ours, key=lambda each: (each.tags, each.id)))


def find_image(engine: Engine, key: str) -> Image | None:
    """The image of the environment with that key in the store, or None."""
    return next((each for each in images(engine, f"{KEY}={key}") if each.tags), None)


def build_image(engine: Engine, installed: Installed, base_id: str, scratch: Path, *, cache: bool = True) -> Image:
    """Build an image in the engine, without network; `base_id` is the engine's id of the base image.

    Raises NoEnvironment with the engine's words.
    """
    write_context(scratch, installed)
    with (scratch / "context.tar").open("w+b") as file:
        with tarfile.open(fileobj=file, mode="w") as context:
            for name in ("Dockerfile", TAR):
                context.add(scratch / name, name)
        file.seek(0)
        with told_by(engine, f"build the image {tag_of(installed)}"):
            built, _ = engine.client.images.build(
                fileobj=file,
                custom_context=True,
                tag=tag_of(installed),
                buildargs={"BASE": base_id},
                network_mode="none",
                nocache=not cache,
                rm=True,
                forcerm=True,
            )
    return _image(read_answer(built.attrs))


def unpack_environment(engine: Engine, image: Image, folder: Path, candidate: Candidate) -> Layout:
    """Copy the environment from an image to `folder`, as it was laid out when the image was built."""
    folder.mkdir(parents=True)
    (folder / "lock.txt").write_text(candidate.lock.text(), encoding="utf-8")
    inside = site_packages_in_image(candidate.interpreter)
    api = engine.client.api
    with told_by(engine, f"read the image {', '.join(image.tags)}"):
        container = api.create_container(image.id, command=["/"])["Id"]
        try:
            stream, _ = api.get_archive(container, str(inside), chunk_size=CHUNK)
            with (folder / "environment.tar").open("w+b") as file:
                for piece in stream:
                    file.write(piece)
                file.seek(0)
                with tarfile.open(fileobj=file) as tar:
                    _extract(tar, folder)
        finally:
            api.remove_container(container, force=True, v=True)
    (folder / "environment.tar").unlink()
    return Layout(Path(PYTHON), folder / inside.name, in_image=True)


def _extract(tar: tarfile.TarFile, folder: Path) -> None:
    """Unpack into a folder, and refuse whatever leads out of it: an image may come from anywhere."""
    if hasattr(tarfile, "data_filter"):
        tar.extractall(folder, filter="data")
        return
    for member in tar.getmembers():
        if not (member.isreg() or member.isdir()) or ".." in PurePosixPath(member.name).parts:
            raise NoEnvironment(
                f"The image holds {member.name!r}, which no environment contains.",
                next_step="Remove it, and build it again with `envguard image build`.",
            )
        tar.extract(member, folder)


def remove_image(engine: Engine, image: Image) -> None:
    """Remove envguard's tags from an image, and the image with the last one.

    Raises NoEnvironment while a container uses it.
    """
    for name in image.tags or (image.id,):
        with told_by(engine, f"remove the image {name}"):
            engine.client.api.remove_image(name)


def save_images(engine: Engine, names: list[str], target: Path) -> None:
    """Write images to a tar that any engine can load, shared layers once; it appears whole or not at all."""
    api = engine.client.api
    address = f"{api.base_url}/v{api.api_version}/images/get"
    with told_by(engine, f"save {', '.join(names)}"):
        answer = api.get(address, params=[("names", name) for name in names], stream=True, timeout=api.timeout)
        if not answer.ok:
            raise NoEnvironment(
                f"{engine.name} could not save {', '.join(names)}.",
                why=answer.text,
                next_step="`envguard image list` shows the images; build what is missing.",
            )
        try:
            with appearing_whole(target) as file:
                for piece in answer.iter_content(CHUNK):
                    file.write(piece)
        except OSError as error:
            raise BadInput(f"{target} cannot be written.", why=str(error), next_step="Name another file.") from error


def load_images(engine: Engine, source: Path) -> tuple[str, ...]:
    """Load images that `save_images` wrote, and return their tags."""
    try:
        with source.open("rb") as file, told_by(engine, f"load {source}"):
            loaded = engine.client.images.load(file)
    except OSError as error:
        raise BadInput(f"{source} cannot be read.", why=str(error), next_step="Name another file.") from error
    return tuple(tag for image in loaded for tag in image.tags)


def _image(found: InspectedImage) -> Image:
    return Image(
        id=found.id,
        tags=tuple(sorted(filter(_is_ours, found.tags))),
        environment=found.labels.get(NAME, ""),
        edition=found.labels.get(EDITION, ""),
        lock=found.labels.get(LOCK, ""),
        key=found.labels.get(KEY, ""),
        created=found.created,
        bytes=found.bytes,
    )


def _is_ours(tag: str) -> bool:
    """Whether envguard gave the tag; Podman puts a registry before it, although the image is from none."""
    return tag.removeprefix("localhost/").removeprefix("docker.io/").startswith(OURS)
