"""An environment that is ready: what it was made from, what identifies it in the store, and the links to it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from envguard.backends.protocol import Installed
from envguard.layout import Layout
from envguard.planning import Candidate
from envguard.running.environments.own.code import has_editable
from envguard.store.environments import BuiltEnvironment
from envguard.store.identity import Identity
from envguard.store.links import LINKS, links_to, renew_link


@dataclass(frozen=True, slots=True)
class Prepared:
    """An environment that is ready, its candidate, and the candidates that failed before it."""

    candidate: Candidate
    built: BuiltEnvironment
    failed: tuple[tuple[str, str], ...] = ()

    @property
    def installed(self) -> Installed:
        """The environment as backends know it."""
        return installed(self.candidate, self.built.layout)

    def as_json(self) -> dict[str, object]:
        """The environment for `--json`."""
        python = self.candidate.interpreter
        return {
            "name": self.candidate.environment.name,
            "edition": self.candidate.edition.name,
            "python": python.version_text,
            "interpreter": str(python.path),
            "backend": self.candidate.backend,
            "base": python.base.reference if python.base else None,
            "lock": self.candidate.lock.digest,
            "built_from_source": list(self.candidate.lock.built),
            "folder": str(self.built.folder),
            "built_now": self.built.fresh,
            "proof": self.built.proof.as_json(),
            "frozen": self.candidate.stale,
            "failed_before": [{"what": what, "why": why} for what, why in self.failed],
        }


def installed(candidate: Candidate, layout: Layout) -> Installed:
    """A candidate's environment as backends know it."""
    return Installed(candidate, layout, identity_of(candidate).key)


def identity_of(candidate: Candidate) -> Identity:
    """What identifies the environment of a candidate in the store."""
    python = candidate.interpreter
    return Identity(
        environment=candidate.environment.name,
        edition=candidate.edition.name,
        lock=candidate.lock.digest,
        interpreter=f"{python.base.id}:{python.real_path}" if python.base else str(python.real_path),
        python_version=python.version_text,
        python_build=python.facts.build,
        platform=python.facts.platform,
        backend=candidate.backend,
        own=str(candidate.own),
    )


def renew_links(home: Path, base: Path, prepared: Prepared, *, chosen: bool) -> Prepared:
    """Renew the links below a folder to this environment; `chosen` if somebody asked for this edition or Python.

    A link that names no edition follows the preferred one only. Where own code can be read in place, links lead there.
    """
    layout, candidate = prepared.built.layout, prepared.candidate
    if layout.in_image or (has_editable(candidate) and not candidate.own.editable):
        return prepared
    for link in links_to(home, candidate.environment.name, base / LINKS):
        if link.edition == candidate.edition.name or not (link.edition or chosen):
            renew_link(link, layout.root)
    return prepared


def needs_as_much(candidate: Candidate, other: Candidate) -> bool:
    """Whether it needs of the same system all the libraries that the other one is known to need, if any is known."""
    needed = set(other.edition.system_libraries)
    return bool(needed) and candidate.backend == other.backend and needed <= set(candidate.edition.system_libraries)
