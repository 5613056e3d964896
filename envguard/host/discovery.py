"""Find every Python on the host, list each real one once, and say which can be used."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from envguard.host.interpreters import BrokenInterpreter, HostFacts, Interpreter, InterpreterFacts
from envguard.host.locations import (
    PossibleInterpreter,
    is_named_like_interpreter,
    possible_interpreters,
    virtual_environment_of,
)
from envguard.host.printable import one_line
from envguard.host.probe_cache import ProbeCache
from envguard.host.probing import ProbeFailure, probe_all, unstartable
from envguard.host.suitability import notes_on, reasons_against

# In envguard's own folder, as `envguard.store.home` names them, which every start imports and so imports nothing.
PYTHONS = "pythons"
ANSWERS = "interpreters"

# What a pyenv shim reads to choose a version.
_SHIM_VARIABLES = ("HOME", "PYENV_ROOT", "PYENV_VERSION")


def discover(
    environ: Mapping[str, str],
    *,
    home: Path,
    store: Path | None,
    timeout: float = 5.0,
    refresh: bool = False,
    shims: bool = False,
) -> HostFacts:
    """Every interpreter on this host, usable or not; at least the one that envguard itself runs on.

    `store` is envguard's own folder, with those that it fetched, and with answers that are kept between calls, which
    `refresh` ignores. `timeout` is in seconds for each interpreter; all are asked in parallel. With `shims`, pyenv's
    shims on PATH are started too, to find those that fail; versions are found without them. Nothing that is found on
    the host makes this raise.
    """
    fetched, answers = (store / PYTHONS, store / ANSWERS) if store else (None, None)
    own = PossibleInterpreter("envguard", Path(sys.executable))
    found = [*possible_interpreters(environ, home, fetched=fetched), own]
    return examine(found, environ, cache=answers, timeout=timeout, refresh=refresh, shims=shims)


def examine(
    found: Iterable[PossibleInterpreter],
    environ: Mapping[str, str],
    *,
    cache: Path | None,
    timeout: float = 5.0,
    refresh: bool = False,
    shims: bool = False,
) -> HostFacts:
    """The same as `discover`, for files that are already known."""
    groups = _by_target(candidate for candidate in found if not candidate.shim or (shims and _is_pyenvs(candidate)))
    known = ProbeCache(cache, ignore_old=refresh)
    _ask(groups.values(), known, environ, timeout)
    # A second round for what virtual environments, shims and wrappers lead to; it is not followed any further.
    further = _by_target(candidate for group in groups.values() for candidate in _leads(group))
    _merge(groups, further)
    _ask(groups.values(), known, environ, timeout)
    known.save()
    return HostFacts(_interpreters(groups.values()), _broken(groups))


@dataclass(slots=True)
class _Group:
    """All names that lead to one file, and the outcome of probing it."""

    target: Path
    candidates: list[PossibleInterpreter] = field(default_factory=list)
    outcome: InterpreterFacts | ProbeFailure | None = None

    @property
    def shim(self) -> bool:
        return self.candidates[0].shim

    @property
    def facts(self) -> InterpreterFacts | None:
        return self.outcome if isinstance(self.outcome, InterpreterFacts) else None

    @property
    def places(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(candidate.place for candidate in self.candidates))


def _by_target(found: Iterable[PossibleInterpreter]) -> dict[Path, _Group]:
    groups: dict[Path, _Group] = {}
    for candidate in found:
        target = _target(candidate)
        groups.setdefault(target, _Group(target)).candidates.append(candidate)
    return groups


def _target(candidate: PossibleInterpreter) -> Path:
    """The file to start: the real one, unless its name shows that it acts on the name it is called by."""
    real = Path(os.path.realpath(candidate.path))
    if candidate.shim or not is_named_like_interpreter(real) or not real.exists():
        return candidate.path
    return real


def _is_pyenvs(candidate: PossibleInterpreter) -> bool:
    """mise's and asdf's shims are never started: they may install a missing version."""
    return (candidate.path.parent.parent / "versions").is_dir()


def _merge(groups: dict[Path, _Group], further: dict[Path, _Group]) -> None:
    for target, group in further.items():
        groups.setdefault(target, _Group(target)).candidates.extend(group.candidates)


def _ask(groups: Iterable[_Group], known: ProbeCache, environ: Mapping[str, str], timeout: float) -> None:
    """Fill in the outcomes that are not yet known."""
    unknown = []
    for group in groups:
        if group.outcome is None:
            group.outcome = unstartable(group.target) or known.get(group.target)
        if group.outcome is None:
            unknown.append(group)
    for shim, keep in ((False, ()), (True, _SHIM_VARIABLES)):
        chosen = {group.target: group for group in unknown if group.shim is shim}
        for target, outcome in probe_all(chosen, environ, timeout=timeout, keep=keep).items():
            chosen[target].outcome = outcome
            known.put(target, outcome, briefly=shim)


def _leads(group: _Group) -> list[PossibleInterpreter]:
    """The interpreter behind a file that only forwards to it: a shim, wrapper or virtual environment."""
    if group.facts is None:
        return []
    path = _base_of(group.facts) if group.facts.virtual_environment_home else Path(group.facts.executable)
    if path is None or not path.is_absolute() or Path(os.path.realpath(path)) == group.target:
        return []
    return [PossibleInterpreter(candidate.place, path) for candidate in group.candidates]


def _base_of(facts: InterpreterFacts) -> Path | None:
    home = Path(facts.virtual_environment_home or "")
    names = (f"python{facts.version.major}.{facts.version.minor}", "python3", "python", "python.exe")
    return next((home / name for name in names if (home / name).exists()), None)


def _identity(facts: InterpreterFacts) -> tuple[object, ...]:
    """What two names of one interpreter share and two interpreters do not."""
    return (os.path.realpath(facts.base_prefix), facts.implementation, facts.version, facts.soabi, facts.bits)


def _interpreters(groups: Iterable[_Group]) -> tuple[Interpreter, ...]:
    same: dict[tuple[object, ...], list[_Group]] = {}
    for group in groups:
        if group.facts is not None and not _lost_its_base(group):
            same.setdefault(_identity(group.facts), []).append(group)
    return tuple(sorted((_interpreter(alike) for alike in same.values()), key=_order))


def _lost_its_base(group: _Group) -> bool:
    return group.facts is not None and bool(group.facts.virtual_environment_home) and not _base_of(group.facts)


def _interpreter(alike: list[_Group]) -> Interpreter:
    """One interpreter for all groups that gave the same answer."""
    own = [group for group in alike if not group.shim and not _leads(group)] or alike
    facts = own[0].facts
    assert facts is not None
    names = [candidate.path for group in own for candidate in group.candidates]
    lasting = [name for name in names if virtual_environment_of(name) is None] or [own[0].target]
    # The file's own name (python3.11) still means the same after a system upgrade.
    path = next((name for name in lasting if name.name == own[0].target.name), lasting[0])
    reasons = reasons_against(facts)
    return Interpreter(
        path=path,
        real_path=Path(os.path.realpath(own[0].target)),
        aliases=tuple(name for name in dict.fromkeys(lasting) if name != path),
        found_in=tuple(dict.fromkeys(place for group in alike for place in group.places)),
        facts=facts,
        reasons=reasons,
        notes=() if reasons else notes_on(facts),
    )


def _order(interpreter: Interpreter) -> tuple[object, ...]:
    version = interpreter.version
    newest_first = (-version.major, -version.minor, -version.micro, version.releaselevel != "final", -version.serial)
    return (not interpreter.usable, interpreter.implementation != "cpython", newest_first, str(interpreter.path))


def _broken(groups: Mapping[Path, _Group]) -> tuple[BrokenInterpreter, ...]:
    rows = []
    for group in groups.values():
        failure = group.outcome
        if _lost_its_base(group):
            failure = ProbeFailure("no base", _NO_BASE)
        if isinstance(failure, ProbeFailure):
            shown = _as_seen(group, failure)
            path = group.candidates[0].path
            rows.append(BrokenInterpreter(path, group.places, shown.problem, shown.reason))
    return tuple(sorted(rows, key=lambda row: str(row.path)))


_NO_BASE = "The base interpreter of this virtual environment is gone: recreate the environment."


def _as_seen(group: _Group, failure: ProbeFailure) -> ProbeFailure:
    """The failure in terms of what the file is: a shim, or a virtual environment's name for its base."""
    if group.shim and failure.exit_code is not None:
        return ProbeFailure("shim", _about_shim(group, failure), failure.exit_code)
    if failure.problem == "dangling link" and virtual_environment_of(group.candidates[0].path):
        return ProbeFailure("no base", _NO_BASE)
    return failure


def _about_shim(group: _Group, failure: ProbeFailure) -> str:
    """Why a shim fails, naming the real interpreters that it hides."""
    shim = group.candidates[0].path
    versions = shim.parent.parent / "versions"
    hidden = sorted(path.parent.parent.name for path in versions.glob(f"*/bin/{shim.name}"))
    exits = f"This shim ends with exit code {failure.exit_code}"
    if not hidden:
        return f"{exits}: no installed version provides it. Run `pyenv rehash`."
    return f"{exits}: no active pyenv version has this command (installed: {one_line(', '.join(hidden))})."
