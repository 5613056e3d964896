"""Which locked packages advisories are about: OSV's documents, pip-audit's reports as JSON, answers of services."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from envguard.documents import parse_json

Table = Mapping[str, object]
NOTHING: Table = {}
FIRST = "0"
"""What OSV writes for the version before all others."""


@dataclass(frozen=True, slots=True)
class Vulnerability:
    """A locked package that an advisory is about, and the versions that mend it, if it names any."""

    package: str
    version: str
    advisory: str
    aliases: tuple[str, ...]
    mended: tuple[str, ...]
    summary: str

    def as_json(self) -> dict[str, object]:
        """The vulnerability for `--json`."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What advisories say of locked packages: `found`, and those that could not be judged, each with the reason."""

    found: tuple[Vulnerability, ...]
    unjudged: tuple[tuple[str, str], ...]
    advisories: int


def compare(raw: bytes, packages: Sequence[tuple[str, str]]) -> Comparison:
    """Compare packages (name, version) with a document; raises ValueError that says what it must be."""
    document = parse_json(raw)
    if isinstance(document, list) and all(
        "version" in _table(each) or "skip_reason" in _table(each) for each in document
    ):
        return _with_report(document, packages)
    table = document if isinstance(document, Mapping) else NOTHING
    if "dependencies" in table:
        return _with_report(_tables(table["dependencies"]), packages)
    advisories = document if isinstance(document, list) else table.get("vulns", [document])
    return _with_advisories(_tables(advisories), packages)


def judged_by_osv(name: str, version: str, answered: object) -> list[Vulnerability]:
    """What OSV's service answers about a version, as it judged it; raises ValueError as `compare`."""
    called = canonicalize_name(name)
    found = []
    for each in _tables(answered):
        if not each.get("withdrawn"):
            mine = [part for part in _tables(each.get("affected", [])) if _is_about(part, called)]
            mended = tuple(dict.fromkeys(fixed for part in mine for fixed in _events(part, "fixed")))
            found.append(_vulnerability(name, version, each, mended, each.get("summary") or each.get("details")))
    return found


def judged_by_pypi(name: str, version: str, answered: object) -> tuple[Vulnerability, ...]:
    """What PyPI's JSON API answers about a release; raises ValueError as `compare`."""
    return tuple(
        _vulnerability(name, version, each, _texts(each.get("fixed_in")), each.get("summary") or each.get("details"))
        for each in _tables(answered)
        if not each.get("withdrawn")
    )


def _is_about(affected: Table, name: str) -> bool:
    package = _table(affected.get("package", NOTHING))
    return _ecosystem(affected) == "PyPI" and canonicalize_name(_text(package.get("name"))) == name


def _with_report(entries: Sequence[object], packages: Sequence[tuple[str, str]]) -> Comparison:
    """A report of pip-audit's, which judges the versions that it names and no others."""
    judged: dict[tuple[str, str], Sequence[Table]] = {}
    skipped: dict[str, str] = {}
    for each in map(_table, entries):
        called = canonicalize_name(_text(each.get("name")))
        if "skip_reason" in each:
            skipped[called] = f"the report skipped it: {each['skip_reason']}"
        else:
            judged[called, _text(each.get("version"))] = _tables(each.get("vulns"))
    found, unjudged = list[Vulnerability](), list[tuple[str, str]]()
    for name, version in packages:
        vulnerabilities = judged.get((canonicalize_name(name), version))
        if vulnerabilities is None:
            why = skipped.get(canonicalize_name(name), "the report is not about this version")
            unjudged.append((f"{name} {version}", why))
        for each in vulnerabilities or ():
            mended = _texts(each.get("fix_versions"))
            found.append(_vulnerability(name, version, each, mended, each.get("description")))
    return Comparison(tuple(found), tuple(unjudged), sum(map(len, judged.values())))


def _with_advisories(entries: Sequence[Table], packages: Sequence[tuple[str, str]]) -> Comparison:
    """Advisories of OSV's schema; those that were withdrawn, and those for other ecosystems, do not count."""
    by_name: dict[str, list[tuple[Table, Table]]] = {}
    counted = 0
    for advisory in entries:
        _text(advisory.get("id"))
        if advisory.get("withdrawn"):
            continue
        concerned = [each for each in _tables(advisory.get("affected", [])) if _ecosystem(each) == "PyPI"]
        counted += bool(concerned)
        for each in concerned:
            by_name.setdefault(canonicalize_name(_text(_table(each.get("package")).get("name"))), []).append(
                (advisory, each)
            )
    if not counted:
        raise ValueError("has no advisory about packages of PyPI")
    found: dict[tuple[str, str, str], Vulnerability] = {}
    unjudged = []
    for name, version in packages:
        for advisory, affected in by_name.get(canonicalize_name(name), ()):
            key = (name, version, _text(advisory["id"]))
            try:
                if _affects(affected, Version(version)):
                    mended = tuple(_events(affected, "fixed"))
                    found.setdefault(key, _vulnerability(name, version, advisory, mended, advisory.get("summary")))
            except InvalidVersion as error:
                unjudged.append((f"{name} {version}", f"{advisory['id']}: {error}"))
    return Comparison(tuple(found.values()), tuple(dict.fromkeys(unjudged)), counted)


def _ecosystem(affected: Table) -> str:
    return _text(_table(affected.get("package", NOTHING)).get("ecosystem", "none")).partition(":")[0]


def _affects(affected: Table, version: Version) -> bool:
    """Whether a version is listed, or lies in a range; raises InvalidVersion for one that is no version of Python's."""
    if any(_same(each, version) for each in _texts(affected.get("versions", []))):
        return True
    ranges = _tables(affected.get("ranges", []))
    return any(_in_range(_tables(each.get("events")), version) for each in ranges if each.get("type") != "GIT")


def _same(listed: str, version: Version) -> bool:
    try:
        return Version(listed) == version
    except InvalidVersion:  # of old releases, which no lock can have
        return False


def _in_range(events: Iterable[Table], version: Version) -> bool:
    """OSV's rule: in order of their versions, the last event at or before the version decides."""
    inside = False
    ordered = sorted(
        ((_bound(value), kind) for each in events for kind, value in each.items()), key=lambda each: each[0]
    )
    for bound, kind in ordered:
        if kind == "introduced" and version >= bound:
            inside = True
        elif (kind == "fixed" and version >= bound) or (kind == "last_affected" and version > bound):
            inside = False
    return inside


def _bound(value: object) -> Version:
    text = _text(value)
    return Version("0.dev0") if text == FIRST else Version(text)


def _events(affected: Table, kind: str) -> Iterator[str]:
    for each in _tables(affected.get("ranges", [])):
        if each.get("type") != "GIT":
            yield from (_text(event[kind]) for event in _tables(each.get("events")) if kind in event)


def _vulnerability(name: str, version: str, said: Table, mended: Sequence[str], summary: object) -> Vulnerability:
    first = summary.strip().split("\n")[0] if isinstance(summary, str) else ""
    return Vulnerability(name, version, _text(said.get("id")), _texts(said.get("aliases", [])), tuple(mended), first)


def _table(value: object) -> Table:
    if not isinstance(value, Mapping):
        raise ValueError("is neither of OSV's nor of pip-audit's form: a table is something else")
    return value


def _tables(value: object) -> Sequence[Table]:
    if not isinstance(value, list):
        raise ValueError("is neither of OSV's nor of pip-audit's form: a list is missing")
    return [_table(each) for each in value]


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError("is neither of OSV's nor of pip-audit's form: a list is missing")
    return tuple(map(_text, value))


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("is neither of OSV's nor of pip-audit's form: a name is missing")
    return value
