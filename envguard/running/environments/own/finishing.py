"""What is left to do for an environment with code of the project's own, before its check and when it is ready."""

from __future__ import annotations

from pathlib import Path

from envguard.catalog.model import Catalog
from envguard.planning import Candidate
from envguard.running.environments.own.editable import lay_modules
from envguard.store.environments import BuiltEnvironment
from envguard.store.removing import remove_superseded
from envguard.trust.allowing import allow_beside, is_allowed


def lay_code(catalog: Catalog, candidate: Candidate, site_packages: Path) -> None:
    """Lay the compiled modules of code that is read in place; a project that is trusted stays so."""
    folder, own = candidate.environment.folder, candidate.lock.own
    if not candidate.own.editable:
        return
    trusted = catalog.project == folder and not catalog.allowed and is_allowed(catalog)
    laid = lay_modules(site_packages, folder, own)
    if laid and trusted:
        allow_beside(catalog, laid)


def finish_code(home: Path, catalog: Catalog, candidate: Candidate, built: BuiltEnvironment) -> BuiltEnvironment:
    """Have its modules in place, and let those go that were built of earlier code."""
    lay_code(catalog, candidate, built.layout.site_packages)
    if built.fresh and candidate.own.sources:
        remove_superseded(home, built.identity)
    return built
