"""Base images: the Python and the Debian packages in each, read once per image."""

from __future__ import annotations

import contextlib
import io
import json
import secrets
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

from docker.errors import APIError, ImageNotFound, NotFound
from docker.utils import parse_repository_tag

from envguard.backends.container_process import ContainerSpec, run_in_container
from envguard.backends.engine import Engine, ImageMissing, told_by
from envguard.backends.inspected import InspectedImage, inspect
from envguard.backends.resources import Resources
from envguard.errors import NoEnvironment
from envguard.files import write_whole
from envguard.host.interpreters import BaseImage, Interpreter, InterpreterFacts
from envguard.host.probing import ISOLATED, PROBE_DIGEST, SOURCE, answer_in
from envguard.host.suitability import notes_on, reasons_against

PACKAGES = "/var/lib/dpkg/status"
LARGEST_LIST = 64 << 20
INSTALLED = "Status: install ok installed"
FOREIGN_PROGRAM = "exec format error"  # what the kernel says (ENOEXEC), in the words of Go


def look_up(engine: Engine, reference: str) -> InspectedImage | None:
    """The image of that name, or None if the engine does not have it."""
    with told_by(engine, f"look up the image {reference}"):
        try:
            return inspect(engine, reference)
        except ImageNotFound:
            return None


def pull(engine: Engine, reference: str) -> None:
    """Pull an image from its registry; raises ImageMissing with the engine's words."""
    name, tag = parse_repository_tag(reference)
    try:
        with told_by(engine, f"pull the image {reference}"):
            engine.client.images.pull(name, tag=tag or "latest")
    except NoEnvironment as error:
        raise missing(reference, error.why) from error


def missing(reference: str, why: str) -> ImageMissing:
    """The error for a base image that is missing."""
    return ImageMissing(
        f"The base image {reference} is missing.",
        why=why,
        next_step="Load it with `docker load` or `envguard image load`, create one as docs/containers.md shows, or "
        "name another with --base or ENVGUARD_BASE_IMAGE.",
    )


def probe_base(engine: Engine, reference: str, *, owner: str, cache: Path) -> Interpreter:
    """The Python of an image in the engine; its answer is cached in the folder `cache`.

    Raises ImageMissing, or NoEnvironment for an image without a Python.
    """
    found = look_up(engine, reference)
    if found is None:
        raise missing(reference, "the engine does not have it")
    identifier = found.content_id
    kept = cache / f"{identifier}.json"
    facts, packages = _read(kept) or _ask(engine, reference, owner)
    _keep(kept, facts, packages)
    # The name behind whatever links lead to it.
    path = Path(facts.executable)
    return Interpreter(
        path=path,
        real_path=path,
        aliases=(),
        found_in=("image",),
        facts=facts,
        reasons=reasons_against(facts),
        notes=notes_on(facts),
        base=BaseImage(reference, identifier, packages),
    )


def _ask(engine: Engine, reference: str, owner: str) -> tuple[InterpreterFacts, frozenset[str] | None]:
    begin, end = secrets.token_hex(16), secrets.token_hex(16)
    command = ("python3", *ISOLATED, "-c", SOURCE, begin, end)
    spec = ContainerSpec(reference, command, (), {}, PurePosixPath("/"), owner)
    with tempfile.TemporaryFile() as log:
        try:
            code, said = run_in_container(engine, spec, Resources(1 << 30, 1.0), log)
        except NoEnvironment as error:
            if FOREIGN_PROGRAM in error.why:
                raise _for_another_processor(engine, reference, error.why) from error
            if "executable file" not in error.why:
                raise
            raise _no_python(reference, error.why) from error
        log.seek(0)
        facts = answer_in(said, begin.encode(), end.encode())
        if facts is None:
            words = log.read(2000).decode("utf-8", "replace").strip()
            if FOREIGN_PROGRAM in words:
                raise _for_another_processor(engine, reference, words)
            raise _no_python(reference, f"python3 ended with exit code {code}. {words}")
    return facts, _debian_packages(engine, reference)


def _no_python(reference: str, why: str) -> NoEnvironment:
    return NoEnvironment(
        f"The base image {reference} has no usable Python.",
        why=why,
        next_step="Name an image that has `python3` on its PATH with --base or ENVGUARD_BASE_IMAGE.",
    )


def _for_another_processor(engine: Engine, reference: str, said: str) -> NoEnvironment:
    ours = engine.architecture or "its own processor"
    return NoEnvironment(
        f"The base image {reference} is for another processor than that of {engine.name} here ({ours}).",
        why=said,
        next_step=f"Name an image for {ours} with --base or ENVGUARD_BASE_IMAGE, or run this where the image runs.",
    )


def _debian_packages(engine: Engine, reference: str) -> frozenset[str] | None:
    """The packages installed in an image, or None if it is not a Debian; starts no container."""
    api = engine.client.api
    with told_by(engine, f"read the image {reference}"):
        container = api.create_container(reference, command=["/"])["Id"]
        try:
            stream, _ = api.get_archive(container, PACKAGES)
            content = b"".join(stream)
        except NotFound:
            return None
        finally:
            with contextlib.suppress(APIError):
                api.remove_container(container, force=True, v=True)
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        (member,) = archive.getmembers()
        file = archive.extractfile(member)
        text = file.read(LARGEST_LIST).decode("utf-8", "replace") if file else ""
    paragraphs = [paragraph.splitlines() for paragraph in text.split("\n\n") if INSTALLED in paragraph]
    fields = (line for lines in paragraphs for line in lines if line.startswith("Package: "))
    return frozenset(line.removeprefix("Package: ").strip() for line in fields)


def _read(kept: Path) -> tuple[InterpreterFacts, frozenset[str] | None] | None:
    """A cached answer, or None if there is none or another version of the probe gave it."""
    try:
        document = json.loads(kept.read_bytes())
        if document["probe"] != PROBE_DIGEST:
            return None
        packages = document["packages"]
        return InterpreterFacts.from_json(document["facts"]), None if packages is None else frozenset(
            map(str, packages)
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _keep(kept: Path, facts: InterpreterFacts, packages: frozenset[str] | None) -> None:
    if kept.exists() and _read(kept) is not None:
        return
    listed = None if packages is None else sorted(packages)
    document = {"probe": PROBE_DIGEST, "facts": facts.as_json(), "packages": listed}
    with contextlib.suppress(OSError):  # without a cache, the image is asked again
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_whole(kept, json.dumps(document).encode())
