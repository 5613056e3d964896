"""A project with small environments of its own, for tests of commands that write beside locks."""

from __future__ import annotations

from pathlib import Path

from envguard.host.interpreters import HostFacts
from envguard.planning import minor_of
from tests.support.projects import trusted

CATALOG = """\
schema = 1

[environments.tools]
summary = "one small package"
pythons = ["{python}"]
check = "checks.imports"
check-options = {{ modules = ["six"] }}
"""


def project(folder: Path, host: HostFacts, **editions: str) -> Path:
    """Write `envguard.toml` with one environment, whose check imports `six`; editions by name with a requirement."""
    text = CATALOG.format(python=minor_of(host.usable[0]))
    for name, requirement in editions.items():
        text += f'\n[environments.tools.editions.{name}]\nrequirements = ["{requirement}"]\n'
    (folder / "envguard.toml").write_text(text, encoding="utf-8")
    return trusted(folder)
