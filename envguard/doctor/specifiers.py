"""Whether two version specifiers (PEP 440) exclude each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version


def exclude_each_other(one: str, other: str) -> bool:
    """Whether no version can satisfy both specifiers; False if that cannot be decided.

    A specifier treats all versions between two that it names alike, so trying these and their neighbours is enough.
    """
    try:
        first, second = SpecifierSet(one), SpecifierSet(other)
    except InvalidSpecifier:
        return False
    named = [each.version.removesuffix(".*") for each in (*first, *second)]
    tried = [form.format(version) for version in named for form in ("{}", "{}.1", "{}.dev0", "{}.post0.dev0")]
    both = first & second
    return bool(named) and not any(
        both.contains(version, prereleases=True) for version in ("0", "999999", *_valid(tried))
    )


def _valid(texts: Iterable[str]) -> Iterator[str]:
    for each in texts:
        try:
            yield str(Version(each))
        except InvalidVersion:
            continue
