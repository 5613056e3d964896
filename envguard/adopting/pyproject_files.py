"""Read a pyproject.toml: dependencies, extras, dependency groups (PEP 735), and where uv is told to take them from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from envguard.adopting.found import (
    FROM_AN_INDEX,
    MOST_REQUIREMENTS,
    Found,
    FoundIndex,
    Wanted,
    address_in,
    as_requirement,
    quoted,
    read_toml,
    refusal,
    without_credentials,
)

Table = Mapping[str, object]
NOTHING: Table = {}


class _Project:
    """A pyproject.toml being read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        document = read_toml(path)
        self.project = self.table(document, "project")
        self.name = str(self.project.get("name", ""))
        self.groups = {_name(key): each for key, each in self.table(document, "dependency-groups").items()}
        tool = self.table(document, "tool")
        self.uv = self.table(tool, "uv")
        self.poetry = "poetry" in tool and "dependencies" not in self.project
        self.is_built = "build-system" in document and bool(self.name) and self.uv.get("package") is not False
        self.extras = {_name(k): each for k, each in self.table(self.project, "optional-dependencies").items()}

    def table(self, values: Table, key: str) -> Table:
        """A table in another one, empty if it is not there."""
        found = values.get(key, NOTHING)
        if not isinstance(found, Mapping):
            raise refusal(self.path, f"{key} must be a table")
        return found

    def texts(self, values: Table, key: str) -> Sequence[str]:
        """A list of texts in a table."""
        return [self.text(each, key) for each in self.entries(values.get(key, []), key)]

    def text(self, value: object, where: str) -> str:
        """A text; raises BadInput that names where it is."""
        if not isinstance(value, str):
            raise refusal(self.path, f"{where} must have texts only")
        return value

    def entries(self, value: object, where: str) -> Sequence[object]:
        """A list; raises BadInput that names where it is."""
        if not isinstance(value, list):
            raise refusal(self.path, f"{where} must be a list")
        return value

    def of_group(self, name: str, within: tuple[str, ...] = ()) -> Iterator[str]:
        """The requirements of a dependency group, with those of the groups that it includes."""
        if name in within:
            raise refusal(self.path, f"the dependency group {name} includes itself: {' → '.join((*within, name))}")
        for each in self.entries(self._chosen(name, self.groups, "dependency group"), name):
            if isinstance(each, Mapping):
                if set(each) != {"include-group"}:
                    raise refusal(self.path, f"the dependency group {name} has a table that is no include-group")
                yield from self.of_group(_name(self.text(each["include-group"], name)), (*within, name))
            else:
                yield self.text(each, name)

    def of_extra(self, name: str, within: tuple[str, ...] = ()) -> Iterator[str]:
        """The requirements of an extra."""
        if name not in within:
            asked = [self.text(each, name) for each in self.entries(self._chosen(name, self.extras, "extra"), name)]
            yield from self.of_all(asked, (*within, name))

    def of_all(self, asked: Sequence[str], within: tuple[str, ...] = ()) -> Iterator[str]:
        """The same requirements; in place of one of the project's own extras, what that requires."""
        for each in asked:
            found = as_requirement(each)
            if isinstance(found, Requirement) and self.name and canonicalize_name(found.name) == _name(self.name):
                for inner in sorted(found.extras):
                    yield from self.of_extra(_name(inner), within)
            else:
                yield each

    def _chosen(self, name: str, among: Table, what: str) -> object:
        if name not in among:
            known = ", ".join(among) or "none"
            raise refusal(self.path, f"it has no {what} {name!r}", f"Choose one that it has: {known}.")
        return among[name]


def read_pyproject(path: Path, wanted: Wanted) -> Found:
    """What a project requires to run, and the extras and groups that are wanted; raises BadInput."""
    project = _Project(path)
    own = wanted.own and _is_installable(project)
    if not own:
        _refuse_unreadable(project, wanted)
    asked = [] if own else list(project.of_all(project.texts(project.project, "dependencies")))
    for name in wanted.extras:
        asked += project.of_extra(_name(name))
    for name in wanted.groups:
        asked += project.of_group(_name(name))
    if len(asked) > MOST_REQUIREMENTS:
        raise refusal(path, f"it has more than {MOST_REQUIREMENTS:,} requirements")
    local, served = _sources(project)
    requirements, notes = [], []
    for found in map(as_requirement, asked):
        if isinstance(found, str):
            notes.append(found)
        elif canonicalize_name(found.name) in local:
            requirement, note = _from_elsewhere(found, local[canonicalize_name(found.name)])
            requirements += [requirement] if requirement else []
            notes += [note] if note else []
        else:
            requirements.append(str(found))
    indexes, more = _indexes(project, served)
    return Found(
        requirements=tuple(dict.fromkeys(requirements)),
        notes=tuple(dict.fromkeys([*notes, *more, *_not_chosen(project, wanted, own=own)])),
        own=own,
        name=project.name,
        requires_python=str(project.project.get("requires-python", "")),
        overrides=tuple(each for each in project.texts(project.uv, "override-dependencies")),
        indexes=indexes,
    )


def own_name(path: Path) -> str:
    """The name of the package that a pyproject.toml describes; empty if there is none that can be installed."""
    if not path.is_file():
        return ""
    project = _Project(path)
    return project.name if _is_installable(project) else ""


def _is_installable(project: _Project) -> bool:
    """Whether it is a package whose dependencies an index has, as far as they are written down."""
    local, _ = _sources(project)
    asked = map(as_requirement, project.of_all(project.texts(project.project, "dependencies")))
    return project.is_built and all(
        isinstance(each, Requirement) and canonicalize_name(each.name) not in local for each in asked
    )


def _refuse_unreadable(project: _Project, wanted: Wanted) -> None:
    if project.poetry:
        raise refusal(
            project.path,
            "its dependencies are written for Poetry alone, not in [project]",
            "Export them with `poetry export -o requirements.txt`, and use --from requirements.txt.",
        )
    if not project.project and not wanted.groups:
        raise refusal(project.path, "it has no [project]", "Name a dependency group with --group, or another file.")
    if "dependencies" in project.texts(project.project, "dynamic"):
        raise refusal(
            project.path,
            "its build backend finds out its dependencies, and nothing of the project is run",
            "Name the file that has them, such as --from requirements.txt.",
        )


def _not_chosen(project: _Project, wanted: Wanted, *, own: bool) -> Iterator[str]:
    for what, option, known, chosen in (
        ("extras", "--extra", project.extras, wanted.extras),
        ("dependency groups", "--group", project.groups, wanted.groups),
    ):
        rest = [name for name in known if name not in map(_name, chosen)]
        if rest:
            yield f"Not included are the {what} {quoted(', '.join(rest))}: {option} NAME includes one."
    if project.project and not own:
        yield f"{quoted(project.name or 'The project')} itself was left out: project = true installs what can be built."
    if project.texts(project.uv, "constraint-dependencies"):
        yield "The constraint-dependencies of [tool.uv] were left out: where one matters, add it to the requirements."


def _from_elsewhere(requirement: Requirement, address: str) -> tuple[str, str]:
    """A requirement with the address of its package, or a note that says why it was left out."""
    if not address:
        return "", f"{requirement.name} was left out: [tool.uv.sources] takes it from elsewhere, {FROM_AN_INDEX}."
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    marker = f" ; {requirement.marker}" if requirement.marker else ""
    found = as_requirement(f"{requirement.name}{extras} @ {address}{marker}")
    return ("", found) if isinstance(found, str) else (str(found), "")


def _sources(project: _Project) -> tuple[dict[str, str], dict[str, list[str]]]:
    """The packages of no index with their addresses, and by name of an index of [tool.uv], those that it serves.

    An address is empty where envguard takes none of that kind, or where it depends on the platform.
    """
    local: dict[str, str] = {}
    served: dict[str, list[str]] = {}
    for package, source in project.table(project.uv, "sources").items():
        for each in source if isinstance(source, list) else [source]:
            if isinstance(each, Mapping) and isinstance(each.get("index"), str):
                served.setdefault(each["index"], []).append(_name(package))
            else:
                local[_name(package)] = address_in(source) if isinstance(source, Mapping) else ""
    return local, served


def _indexes(project: _Project, served: Mapping[str, Sequence[str]]) -> tuple[tuple[FoundIndex, ...], list[str]]:
    found, notes = [], []
    for each in project.entries(project.uv.get("index", []), "index"):
        if not isinstance(each, Mapping) or not isinstance(each.get("url"), str):
            raise refusal(project.path, "an index of [tool.uv] must be a table with a url")
        url, name = without_credentials(each["url"])[0], str(each.get("name", ""))
        if name in served:
            found.append(FoundIndex(name, url, tuple(dict.fromkeys(served[name]))))
        elif each.get("default") is True:
            found.append(FoundIndex("", url))
        else:
            notes.append(
                f"The index {quoted(url)} was left out: an index beside the first serves only packages that it names, "
                "in packages = […] of its [[index]]."
            )
    return tuple(found), notes


def _name(text: str) -> str:
    return canonicalize_name(text)
