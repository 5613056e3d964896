"""Does the package index answer? uv is asked, so that mirror, proxy and certificates are those that installs get."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

# Tiny, and on every mirror; that an index lacks it is an answer too.
ASKED = "six"
ANSWERED = ("No solution found", "was not found in the package registry")
NO_ANSWER = ("credentials", "403 Forbidden", "network was disabled")


def ask_index(uv: Path, variables: Mapping[str, str], *, timeout: float) -> str:
    """Ask for one small package with an empty cache; gives back uv's own words if no answer came, else nothing.

    `variables` are those that uv gets (`installer_variables`); `timeout` is in seconds, after which it is stopped.
    """
    with tempfile.TemporaryDirectory(prefix="envguard-index-") as name:
        folder = Path(name)
        wanted = folder / "requirements.in"
        wanted.write_text(f"{ASKED}\n", encoding="utf-8")
        command: list[str | Path] = [
            uv, "pip", "compile", wanted, "--no-deps", "--no-config", "--no-python-downloads", "--no-header",
            "--cache-dir", folder / "cache", "--color", "never", "--quiet", "--python-version", "3.11",
        ]  # fmt: skip
        try:
            run = subprocess.run(
                command,
                env={**variables, "UV_HTTP_TIMEOUT": str(max(1, int(timeout))), "UV_HTTP_RETRIES": "0"},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout,
            )
        except subprocess.TimeoutExpired:
            return f"no answer within {timeout:g} seconds: operation timed out"
    said = run.stderr.strip()
    answered = any(text in said for text in ANSWERED) and not any(text in said for text in NO_ANSWER)
    return "" if run.returncode == 0 or answered else said or f"uv ended with exit code {run.returncode}"
