"""`envguard ci github --renew`: the workflow that renews a project's environments, or those of envguard's checkout."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from envguard.catalog import Catalog, Environment
from envguard.catalog.projects import PROJECT_FILE
from envguard.catalog.shipped import BUILTIN
from envguard.cli.selection import environments_to_write_to
from envguard.errors import BadInput
from envguard.report.ci_renewal import RenewalJob

# The oldest minor that GitHub's runners have; older editions are on record only.
OLDEST_THERE = (3, 9)
# The oldest that envguard itself runs on.
OLDEST_FOR_US = (3, 10)


def renewal_job(catalog: Catalog, base: Path, folder: str, install: Callable[[], tuple[str, ...]]) -> RenewalJob:
    """The job for the project in `base`, or for envguard's own checkout, if `base` is that; `folder` as in `CiJob`.

    Raises BadInput if it is neither, or if no environment is for a Python that envguard runs on.
    """
    own = catalog.project is not None
    builtin = BUILTIN.relative_to(BUILTIN.parents[2])
    if not own and not (base / builtin).is_file():
        raise BadInput(
            "There is nothing to renew here.",
            why=f"this folder has no {PROJECT_FILE} and is not envguard's own checkout",
            next_step="Change to the folder of a project, or start one with `envguard init`.",
        )
    return RenewalJob(
        install=install(),
        pythons=_pythons(environments_to_write_to(catalog, None)),
        catalog=PROJECT_FILE if own else builtin.as_posix(),
        folder=folder,
        project=own,
    )


def _pythons(environments: Sequence[Environment]) -> tuple[str, ...]:
    """The minors that offered editions are for, oldest first, but the preferred one that envguard runs on last."""
    asked = dict.fromkeys(
        python for each in environments for edition in each.editions if edition.offered for python in edition.pythons
    )
    there = [python for python in asked if _minor(python) >= OLDEST_THERE]
    ours = next((python for python in there if _minor(python) >= OLDEST_FOR_US), None)
    if ours is None:
        raise BadInput(
            "No environment here is for a Python that envguard itself runs on.",
            why=f"they are for {', '.join(asked) or 'none'}",
            next_step=f"Name 3.{OLDEST_FOR_US[1]} or newer among the `pythons` of one of them.",
        )
    return (*sorted((python for python in there if python != ours), key=_minor), ours)


def _minor(python: str) -> tuple[int, ...]:
    return tuple(map(int, python.split(".")))
