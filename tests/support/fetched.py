"""Wheels of any platform from the package index, by their hashes."""

from __future__ import annotations

import subprocess
from pathlib import Path

from envguard.running.environments.preparing import Workshop


def fetched(shop: Workshop, folder: Path, requirement: str, platform: str, sha256: str) -> Path:
    """The wheel of that hash for Python 3.11, in a folder that has no other; nothing of it is run."""
    wanted = folder / "wanted.txt"
    wanted.write_text(f"{requirement} --hash=sha256:{sha256}\n")
    python = shop.prepare("pip").built.layout.python
    where: list[str | Path] = ["--platform", platform, "--python-version", "3.11", "--dest", folder, "-r", wanted]
    how = ["--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes", "--no-cache-dir"]
    subprocess.run([python, "-I", "-m", "pip", "download", *how, *where], check=True)
    (path,) = folder.glob("*.whl")
    return path
