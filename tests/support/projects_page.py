"""docs/projects.md in its parts: the project that it builds, and the sections about others."""

from __future__ import annotations

import re

from tests.support.pages import CHECKOUT

PAGE = (CHECKOUT / "docs" / "projects.md").read_text(encoding="utf-8")


# This section is about projects that have something already.
ADOPTING = PAGE.partition("## Or start from what there is\n")[2].partition("\n## ")[0]
# And this one is about a project of its own.
OWN = PAGE.partition("## Your own package\n")[2].partition("\n## ")[0]
# What the page's task for linting runs in.
TOOLS = """
[environments.tools]
summary = "What checks the code"
check = "checks.imports"
check-options = { modules = ["ruff"] }

[environments.tools.editions.1]
requirements = ["ruff"]
"""


def blocks(language: str, page: str = PAGE.replace(ADOPTING, "").replace(OWN, "")) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)
