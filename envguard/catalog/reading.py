"""Read a catalog from TOML: every key must be known and every value must have its type."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from envguard.catalog.indexes import package_name, read_index
from envguard.catalog.model import (
    NO_LIBRARIES,
    Catalog,
    Edition,
    Environment,
    Index,
    OptionalLibraries,
    Sample,
    SampleFile,
)
from envguard.catalog.own_packages import own_packages_in
from envguard.catalog.references import check_references, reference_of, refuse_shadows
from envguard.catalog.task_reading import MINOR, command_of, payload_name, task_in
from envguard.errors import BrokenData
from envguard.npm_package import NpmPackage
from envguard.payload.door.references import Reference
from envguard.platform_tags import PLATFORMS
from envguard.requirement import OwnPackage, parsed
from envguard.table_reader import (
    TableReader,
    boolean,
    inside,
    integer,
    list_of,
    match,
    name_text,
    plain_table,
    sha256_text,
    table_of,
    text,
)
from envguard.toml import parse_toml

SCHEMA = 1
PAYLOAD_CHECK = re.compile(r"checks\.[a-z0-9_]+")
LARGEST_FILE = 1_000_000
ALLOWED, REFUSED = "allow", "refuse"
NO_PYTHONS: tuple[str, ...] = ()
NO_PLATFORMS: tuple[str, ...] = ()
NO_PACKAGES: tuple[OwnPackage, ...] = ()
NO_REFERENCES: Mapping[str, Reference] = {}
NOTHING = Catalog({}, {}, {})

# Debian Policy 5.6.7.
DEBIAN_PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]+")
# The distribution's grammar of references, with `{python}` where the minor goes.
IMAGE = re.compile(r"[a-z0-9]([A-Za-z0-9_.:/-]|\{python\})*(@sha256:[0-9a-f]{64})?")

_minor = match(MINOR, "a Python minor such as 3.11")
_debian_package = match(DEBIAN_PACKAGE, "the name of a Debian package such as libegl1")
_image = match(IMAGE, "the name of a container image such as python:{python}-slim-bookworm")


def read_catalog(path: Path, *, lockfiles: Path, base: Catalog = NOTHING) -> Catalog:
    """Read a catalog file whose locks are in `lockfiles`, and append it to `base`.

    Raises BrokenData that names the file and the key.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_FILE + 1)
        if len(raw) > LARGEST_FILE:
            raise ValueError(f"it is larger than {LARGEST_FILE:,} bytes")
        document = parse_toml(raw.decode("utf-8"))
    except (OSError, ValueError) as error:
        raise BrokenData(
            f"The catalog {path.name} cannot be read.", why=str(error), next_step=f"Correct {path}."
        ) from error
    return catalog_from(document, source=path.name, lockfiles=lockfiles, folder=path.parent, base=base)


def catalog_from(
    document: Mapping[str, object],
    *,
    source: str,
    lockfiles: Path,
    folder: Path = Path(),
    base: Catalog = NOTHING,
) -> Catalog:
    """Build a catalog from a parsed document, appended to `base`, whose names it may use but not redefine.

    `source` is what errors call the document, `folder` the one that its scripts and files are relative to.
    """
    table = TableReader(document, source)
    if table.take("schema", integer) != SCHEMA:
        table.refuse("schema", f"must be {SCHEMA}, the schema that this envguard reads")
    index = read_index(table, folder, base.index)
    pythons = table.take("pythons", list_of(_minor, least=1), NO_PYTHONS)
    own = Catalog(
        environments=table.named("environments", _environment_in(lockfiles, folder, pythons, index)),
        tasks=table.named("tasks", task_in(folder)),
        samples=table.named("samples", _sample),
    )
    image = table.inner("image", _base_image) if table.holds_table("image") else base.base
    table.done()
    refuse_shadows(own, base, table.refuse)
    catalog = Catalog(
        environments={**base.environments, **own.environments},
        tasks={**base.tasks, **own.tasks},
        samples={**base.samples, **own.samples},
        index=index,
        base=image,
        pythons=pythons or base.pythons,
    )
    check_references(own, catalog, table.refuse)
    return catalog


def _base_image(table: TableReader) -> str:
    return table.take("base", _image)


def _environment_in(
    lockfiles: Path, folder: Path, usual: tuple[str, ...], index: Index
) -> Callable[[str, TableReader], Environment]:
    """A reader of environments, whose Pythons are the `usual` ones of the catalog unless they name their own."""

    def environment(name: str, table: TableReader) -> Environment:
        platforms = table.take("platforms", list_of(_platform, least=1), NO_PLATFORMS)
        pythons = table.take("pythons", list_of(_minor, least=1), usual or None)
        more = table.take("more-pythons", list_of(_minor, least=1), NO_PYTHONS)
        pythons = tuple(dict.fromkeys((*pythons, *more)))
        dependencies = table.take("dependencies", boolean, True)
        command = table.inner("check", _check_command) if table.holds_table("check") else ()
        check = " ".join(command) or table.take("check", payload_name(PAYLOAD_CHECK, "a check such as checks.imports"))
        found = Environment(
            name=name,
            lockfiles=lockfiles,
            folder=folder,
            overlaps=table.take("overlaps", _overlaps, REFUSED) == ALLOWED,
            own=table.take("project", own_packages_in(folder), NO_PACKAGES),
            dated=index.dated,
            indexes={package: each.name for each in index.named for package in each.packages},
            summary=table.take("summary", text),
            check=check,
            check_command=command,
            check_options={} if command else table.take("check-options", plain_table, {}),
            check_inputs=table.take("check-inputs", table_of(reference_of), NO_REFERENCES),
            editions=tuple(table.named("editions", _edition_of(pythons, platforms, dependencies)).values()),
        )
        if not found.editions:
            table.refuse("editions", "must name at least one edition")
        return found

    return environment


def _check_command(table: TableReader) -> tuple[str, ...]:
    return table.take("command", command_of)


def _edition_of(
    pythons: tuple[str, ...], platforms: tuple[str, ...], dependencies: bool
) -> Callable[[str, TableReader], Edition]:
    def edition(name: str, table: TableReader) -> Edition:
        return Edition(
            name=name,
            pythons=table.take("pythons", list_of(_minor, least=1), pythons),
            requirements=table.take("requirements", list_of(_requirement)),
            overrides=table.take("overrides", list_of(_override), ()),
            dependencies=dependencies,
            offered=table.take("offered", boolean, True),
            system_libraries=table.take("system-libraries", list_of(_debian_package), ()),
            npm=table.take("npm", _npm_packages, ()),
            optional_libraries=table.inner("optional-system-libraries", _optional_libraries, NO_LIBRARIES),
            platforms=table.take("platforms", list_of(_platform, least=1), platforms),
            build=table.take("build", list_of(package_name), ()),
        )

    return edition


def _optional_libraries(table: TableReader) -> OptionalLibraries:
    return OptionalLibraries(table.take("purpose", text), table.take("packages", table_of(inside, _debian_package)))


def _requirement(value: object) -> str:
    """A requirement as it is written here, which is known to be nothing else for an installer."""
    requirement = text(value)
    parsed(requirement, local=True)
    return requirement


def _override(value: object) -> str:
    """The same without a place to take the package from, which only what is required may name."""
    override = text(value)
    parsed(override)
    return override


def _overlaps(value: object) -> str:
    if value not in (ALLOWED, REFUSED):
        raise ValueError(f'must be "{ALLOWED}" or "{REFUSED}"')
    return text(value)


def _platform(value: object) -> str:
    if value not in PLATFORMS:
        raise ValueError(f"must be one of {', '.join(PLATFORMS)}")
    return text(value)


def _npm_packages(value: object) -> tuple[NpmPackage, ...]:
    return tuple(map(NpmPackage.parse, list_of(text)(value)))


def _sample(name: str, table: TableReader) -> Sample:
    return Sample(
        name=name,
        summary=table.take("summary", text),
        environment=table.take("environment", name_text),
        files=table.each("files", _sample_file),
    )


def _sample_file(table: TableReader) -> SampleFile:
    return SampleFile(
        path=table.take("path", inside),
        bytes=table.take("bytes", integer),
        sha256=table.take("sha256", sha256_text),
    )
