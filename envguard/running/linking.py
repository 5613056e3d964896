"""Keep a project's links to its environments pointing at what was made ready last."""

from __future__ import annotations

from pathlib import Path

from envguard.running.environments.prepared import Prepared
from envguard.store.links import LINKS, links_to, renew_link


def renew_links(home: Path, base: Path, prepared: Prepared, *, chosen: bool) -> Prepared:
    """Renew the links below a folder to this environment; `chosen` if somebody asked for this edition or Python.

    A link that names no edition follows the preferred one only.
    """
    layout, candidate = prepared.built.layout, prepared.candidate
    if layout.in_image:
        return prepared
    for link in links_to(home, candidate.environment.name, base / LINKS):
        if link.edition == candidate.edition.name or not (link.edition or chosen):
            renew_link(link, layout.root)
    return prepared
