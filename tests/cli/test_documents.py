"""Every `--json` document says which schema it follows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import envguard as package
from tests.support.command import envguard

ROOT = Path(package.__file__).parent


@pytest.mark.parametrize(
    "arguments",
    [
        ["list"],
        ["probe"],
        ["matrix", "quantize"],
        ["trust", "--list"],
        ["store", "list"],
        ["store", "verify"],
        ["store", "prune", "--dry-run"],
        ["store", "gc", "--max-size", "1GB", "--dry-run"],
        ["run", "quantize", "--explain", "sample:face"],
        ["explain", "no-error.log"],
        ["doctor"],
        ["--version"],
        ["create", "no-such-environment"],
        ["lock", "no-such-environment"],
    ],
    ids=" ".join,
)
def test_a_document_has_a_schema(tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "no-error.log").write_text("all is well\n")
    document = envguard(*arguments, "--json", home=tmp_path / "home", cwd=tmp_path).document
    assert isinstance(document["schema"], int)


def test_commands_write_documents_in_one_way_only() -> None:
    writers = [path for place in ("cli", "models") for path in (ROOT / place).rglob("*.py")]
    own = {path.relative_to(ROOT).as_posix() for path in writers if re.search(r"json\.dumps?\(", path.read_text())}
    jupyters = {"cli/environments/link.py"}  # a kernel's specification
    assert own - jupyters == {"cli/printing.py", "models/report_files.py"}, "document_text writes the schema, too"
