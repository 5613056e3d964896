"""A project with a package of its own, and the build backend that lies beside it, so that no index is needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.command import Ended, envguard
from tests.support.tiny import PYTHON

# A backend (PEP 517 and 660) that packs what is in `src`, and requires what `needs.txt` says.
BACKEND = r"""
import base64, hashlib, pathlib, zipfile
HERE = pathlib.Path.cwd()
def packed(folder, name, files):
    needs = (HERE / "needs.txt").read_text().split() if (HERE / "needs.txt").exists() else []
    info = "mine-1.0.dist-info"
    files = {
        **files,
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n"
        + "".join(f"Requires-Dist: {each}\n" for each in needs),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\nmine = mine:main\n",
    }
    rows = ""
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        rows += f"{path},sha256={digest},{len(text.encode())}\n"
    files[f"{info}/RECORD"] = rows + f"{info}/RECORD,,\n"
    with zipfile.ZipFile(pathlib.Path(folder, name), "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path), text)
    return name
def build_wheel(folder, settings=None, metadata=None):
    code = {path.relative_to(HERE / "src").as_posix(): path.read_text() for path in (HERE / "src").rglob("*.py")}
    return packed(folder, "mine-1.0-py3-none-any.whl", code)
def build_editable(folder, settings=None, metadata=None):
    return packed(folder, "mine-1.0-0.editable-py3-none-any.whl", {"mine.pth": str(HERE / "src")})
"""
PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "mine"
version = "1.0"
"""
CATALOG = """
schema = 1

[environments.dev]
summary = "the project's own package"
pythons = ["{python}"]
project = {project}
check = {{ command = ["python", "checks/it.py"] }}

[environments.dev.editions.1]
requirements = []

[tasks.say]
summary = "say it"
output = "say:said"

[[tasks.say.steps]]
name = "say"
environment = "dev"
command = ["python", "steps/say.py", "{{output.said}}"]
outputs = {{ said = "said.txt" }}
"""
SAY = """
import sys
from pathlib import Path

import mine

Path(sys.argv[1]).write_text(mine.word + " " + str(Path(mine.__file__).parent.name))
"""

AS_IT_IS: Mapping[str, str | None] = {}


def module(word: str) -> str:
    """The package's one module."""
    return f"word = {word!r}\ndef main():\n    print(word)\n"


def write_own_package(folder: Path, more: Mapping[str, str | None] = AS_IT_IS, *, project: str = "true") -> Path:
    """The project in a folder, with more files, others or, where there is None, fewer; its folder."""
    files: dict[str, str | None] = {
        "backend.py": BACKEND,
        "pyproject.toml": PYPROJECT,
        "src/mine.py": module("first"),
        "checks/it.py": "import mine\n",
        "steps/say.py": SAY,
        "envguard.toml": CATALOG.format(python=PYTHON, project=project),
        **more,
    }
    for name, text in files.items():
        if text is None:
            continue
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@dataclass(frozen=True)
class Project:
    """The project's folder and a store."""

    folder: Path
    home: Path

    def run(self, *arguments: str, **environ: str) -> Ended:
        return envguard(*arguments, home=self.home, cwd=self.folder, **environ)

    def does(self, *arguments: str) -> str:
        """What a command that succeeds prints, on both streams."""
        ended = self.run(*arguments)
        assert ended.code == 0, f"{arguments}: {ended.out}{ended.err}"
        return ended.out + ended.err

    def edit(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")


def project_in(folder: Path, home: Path, more: Mapping[str, str | None] = AS_IT_IS) -> Project:
    project = Project(write_own_package(folder, more), home)
    project.does("trust")
    project.does("lock")
    return project
