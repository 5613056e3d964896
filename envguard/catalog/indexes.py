"""Read where a project says its packages come from: one index, or several of which each serves packages of its own."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from packaging.utils import canonicalize_name

from envguard.catalog.model import Index, NamedIndex
from envguard.table_reader import TableReader, boolean, inside, list_of, match

ADDRESS = re.compile(r"https?://[A-Za-z0-9.:\[\]_-]+(/[A-Za-z0-9._~!&'()*+,;=:%/-]*)?")
# What uv makes the names of variables with credentials from: UV_INDEX_NAME_USERNAME.
INDEX_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
PACKAGE_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")


def read_index(table: TableReader, folder: Path, default: Index) -> Index:
    """The catalog's `[index]`, or its `[[index]]`; the default if it has neither.

    Of several, those that name `packages` serve these alone, and one that does not serves all the others. `folder` is
    the one that certificates are named from.
    """
    if "index" not in table:
        return default
    if not table.holds_array("index"):
        return table.inner("index", lambda each: _plain(each, folder))
    entries = table.each("index", lambda each: _named(each) if "packages" in each else _plain(each, folder))
    plain = [each for each in entries if isinstance(each, Index)]
    named = tuple(each for each in entries if isinstance(each, NamedIndex))
    if len(plain) > 1:
        table.refuse("index", "has two tables without packages, but one index alone can serve what no other does")
    _refuse_doubles(table, named)
    return replace(plain[0] if plain else Index(), named=named)


def _refuse_doubles(table: TableReader, named: tuple[NamedIndex, ...]) -> None:
    names = [each.name for each in named]
    packages = [package for each in named for package in each.packages]
    for what, found in (("index", names), ("package", packages)):
        double = next((each for each in found if found.count(each) > 1), None)
        if double is not None:
            table.refuse("index", f"names the {what} {double!r} twice")


def _plain(table: TableReader, folder: Path) -> Index:
    certificates = table.take("certificates", inside, "")
    return Index(
        url=table.take("url", _address, ""),
        certificates=str(folder / certificates) if certificates else "",
        proxy=table.take("proxy", _address, ""),
        dated=table.take("dates", boolean, True),
    )


def _named(table: TableReader) -> NamedIndex:
    return NamedIndex(
        name=table.take("name", match(INDEX_NAME, "a name of lower-case letters, digits and '-'")),
        url=table.take("url", _address),
        packages=table.take("packages", list_of(package_name, least=1)),
    )


def package_name(value: object) -> str:
    """A package's name, in its normal form."""
    return canonicalize_name(match(PACKAGE_NAME, "the name of a package")(value))


def _address(value: object) -> str:
    address = match(ADDRESS, "an http or https address without user and password, which belong in variables")(value)
    try:
        if urlsplit(address).hostname and urlsplit(address).port != 0:
            return address
    except ValueError:
        pass
    raise ValueError("must be an http or https address whose host and port are valid")
