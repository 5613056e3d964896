"""Write one file for a bug report: versions, host, plans and recent logs, with secrets and the home folder masked."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from envguard import __version__
from envguard.clock import utc_now
from envguard.doctor.finding import Finding
from envguard.doctor.masking import masked
from envguard.host.interpreters import HostFacts
from envguard.store.scratch import logs_folder

OWN_DEPENDENCIES = ("filelock", "packaging", "platformdirs", "rich", "typer", "uv")
LOGS = 3
LOG_TAIL_BYTES = 20_000


def bug_report(
    *,
    store: Path,
    home: Path,
    environ: Mapping[str, str],
    host: HostFacts,
    findings: tuple[Finding, ...],
    plans: Mapping[str, str],
) -> str:
    """The report as Markdown. `plans` tells, by environment, what would be used or why nothing can be.

    Variables appear by name only.
    """
    parts = [
        "# envguard bug report",
        f"Created {utc_now()}. Describe above this line what you ran and what you expected.",
        _section("Versions", _versions()),
        _section("Pythons", (f"{row.version_text} {row.architecture} {row.path}" for row in host.usable)),
        _section("Findings", (f"{each.level}: {each.what}: {each.evidence}" for each in findings)),
        _section("Plans", (f"{name}: {said}" for name, said in plans.items())),
        _section("Variables that are set", [", ".join(sorted(environ))]),
        *(_section(f"Log {path.name}", [text]) for path, text in _last_logs(store)),
    ]
    return masked("\n\n".join(parts) + "\n", environ, home)


def _section(title: str, lines: Iterator[str] | list[str]) -> str:
    # A fence longer than any in the text, so that no log closes its block early.
    return f"## {title}\n\n`````text\n" + "\n".join(lines).replace("`````", "'''''") + "\n`````"


def _versions() -> Iterator[str]:
    yield f"envguard {__version__}"
    yield f"Python {sys.version.replace(os.linesep, ' ')}"
    yield f"{platform.platform()}, {' '.join(platform.libc_ver())}, {os.cpu_count()} processors"
    for name in OWN_DEPENDENCIES:
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:
            yield f"{name} is not installed"


def _last_logs(store: Path) -> Iterator[tuple[Path, str]]:
    """The ends of the newest logs, newest first, starting with a whole line."""
    try:
        logs = sorted(logs_folder(store).rglob("*.log"), key=lambda path: path.stat().st_mtime, reverse=True)
    except OSError:
        return
    for path in logs[:LOGS]:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - LOG_TAIL_BYTES))
            tail = file.read(LOG_TAIL_BYTES)
        # Part of a secret at the cut could not be recognised.
        whole = tail.partition(b"\n")[2] if len(tail) == LOG_TAIL_BYTES else tail
        yield path, whole.decode("utf-8", "replace").strip() or "it is empty"


def plans_as_text(plans: Mapping[str, object]) -> dict[str, str]:
    """Plans as one line of JSON each."""
    return {name: json.dumps(plan, default=str) for name, plan in plans.items()}
