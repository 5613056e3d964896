"""Check what stops envguard from working on this host: Pythons, variables, files, disk, container engine."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from envguard.catalog.model import Environment
from envguard.doctor.finding import Finding
from envguard.host.browsers import VARIABLE as BROWSER
from envguard.host.browsers import find_browser
from envguard.host.configuration import configuration_files
from envguard.host.interpreters import HostFacts
from envguard.host.linker import absent
from envguard.host.variables import removed_from_step
from envguard.planning import minor_of
from envguard.system.long_paths import ALLOW, longest_path, why_too_long

# Measured: the environments of `run quantize` take 0.53 GB, including the packages they are made from (2026-11-22,
# Debian 12), and half as much again while they are being built.
ROOM_FOR_QUANTIZE = 800_000_000

_PING = b"GET /_ping HTTP/1.0\r\nHost: engine\r\n\r\n"

INSTALL_BROWSER = f"Install one, or name its program with {BROWSER}"


def check_interpreters(facts: HostFacts, pythons: Sequence[str]) -> Iterator[Finding]:
    """A finding if none can be used of the minors that environments are for, and a note on each unusable Python.

    `pythons` are these minors, the preferred one first.
    """
    remedy = " ".join(("uv python install", *pythons[:1]))
    if not facts.usable:
        found = f"{len(facts.interpreters)} were found"
        yield Finding("interpreters", "finding", "No Python on this host can be used", found, remedy)
    elif pythons and not any(minor_of(each) in pythons for each in facts.usable):
        found = f"here is {', '.join(each.version_text for each in facts.usable)}; they are for {', '.join(pythons)}"
        yield Finding("interpreters", "finding", "No environment is for a Python of this host", found, remedy)
    for interpreter in facts.interpreters:
        for reason in interpreter.reasons:
            yield Finding("interpreters", "note", f"{interpreter.path} cannot be used", reason)
    for broken in facts.broken:
        yield Finding("interpreters", "note", f"{broken.path} cannot be used", broken.reason)


def check_variables(environ: Mapping[str, str]) -> Iterator[Finding]:
    """A note on each variable that would change what Python, the linker or an installer does.

    These are notes, because steps and installers never see the variables. Values may hold passwords and are not shown.
    """
    for name, why in removed_from_step(environ).items():
        yield Finding("variables", "note", f"{name} is set", f"{why}; steps do not see it", f"unset {name}")


def check_files(
    facts: HostFacts, environ: Mapping[str, str], home: Path, *, root: Path = Path("/")
) -> Iterator[Finding]:
    """A note on each file that configures Python or an installer unnoticed; contents are not shown."""
    for path in configuration_files(environ, home, root=root):
        if path.is_file():
            yield Finding(
                "files",
                "note",
                f"{path} configures an installer",
                "envguard's installations do not read it (uv --no-config)",
            )
    minors = sorted({interpreter.version[:2] for interpreter in facts.interpreters})
    for major, minor in minors:
        site = home / f".local/lib/python{major}.{minor}/site-packages"
        if site.is_dir() and any(site.iterdir()):
            yield Finding(
                "files",
                "note",
                f"{site} has packages that every Python {major}.{minor} of this user can import",
                "environments and steps do not see them",
                f"python{major}.{minor} -m pip list --user",
            )
    for path in _customizations(facts):
        yield Finding(
            "files",
            "note",
            f"{path} runs whenever that Python starts",
            "also in environments made with it, and with -I",
        )


def _customizations(facts: HostFacts) -> list[Path]:
    """The sitecustomize files in standard libraries, where every environment runs them."""
    found = []
    for interpreter in facts.interpreters:
        version = ".".join(map(str, interpreter.version[:2]))
        below = "Lib" if interpreter.facts.os_name == "nt" else f"lib/python{version}"
        library = Path(interpreter.facts.base_prefix) / below
        found += [path for path in (library / "sitecustomize.py", library / "usercustomize.py") if path.is_file()]
    return list(dict.fromkeys(found))


def check_optional_libraries(environments: Iterable[Environment]) -> Iterator[Finding]:
    """A note on what this system could have for a part of what an environment does."""
    if not sys.platform.startswith("linux"):
        return
    for environment in environments:
        for edition in environment.editions:
            optional = edition.optional_libraries
            missing = absent(optional.packages) if edition.offered else ()
            if missing:
                are, them = ("is", "it") if len(missing) == 1 else ("are", "them")
                yield Finding(
                    "system libraries",
                    "note",
                    f"{', '.join(missing)} {are} not installed",
                    f"{environment.name} {edition.name} needs {them} only {optional.purpose}",
                    f"apt-get install --no-install-recommends {' '.join(missing)}",
                )


def check_browser(environ: Mapping[str, str], home: Path, *, root: Path = Path("/")) -> Iterator[Finding]:
    """A note if there is no browser; only steps that run in one need it."""
    if find_browser(environ, home, root=root) is not None:
        return
    named = environ.get(BROWSER)
    evidence = (
        f"{BROWSER} names {named}, which is no program" if named else "none is on PATH or where installers put one"
    )
    debian = (root / "etc/debian_version").exists()
    remedy = "apt-get install --no-install-recommends chromium-headless-shell" if debian else INSTALL_BROWSER
    yield Finding("browser", "note", "No Chromium, Chrome or Edge was found", evidence, remedy)


def check_disk(home: Path, needed: int = ROOM_FOR_QUANTIZE) -> Iterator[Finding]:
    """A finding if the store's disk has less than `needed` bytes of free space, or is not writable."""
    existing = next(path for path in (home, *home.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    if free < needed:
        yield Finding(
            "disk",
            "finding",
            f"Only {free / 1e6:,.0f} MB are free for {home}",
            f"the environments of `run quantize` need about {needed / 1e6:,.0f} MB while they are being built",
            "envguard store prune",
        )
    if not os.access(existing, os.W_OK):
        yield Finding(
            "disk",
            "finding",
            f"{existing} is not writable",
            f"the store belongs in {home}",
            "export ENVGUARD_HOME=",
        )
    too_long = why_too_long(str(home), longest_path())
    if too_long:
        yield Finding("disk", "finding", f"{home} is too deep in its disk", too_long, ALLOW)


def check_engine(environ: Mapping[str, str], *, timeout: float = 0.5) -> Iterator[Finding]:
    """A note on the container engine, if it does not answer; envguard works without one."""
    sockets = list(_engine_sockets(environ))
    silent = []
    for path in sockets:
        answer = _ping(path, timeout)
        if answer == "":
            return
        if path.exists():
            silent.append(f"{path}: {answer}")
    what = "The container engine does not answer" if silent else "No container engine is running"
    evidence = "; ".join(silent) or f"no socket at {', '.join(map(str, sockets))}"
    yield Finding("container engine", "note", what, evidence, "systemctl start docker")


def _engine_sockets(environ: Mapping[str, str]) -> Iterator[Path]:
    named = environ.get("DOCKER_HOST", "")
    if named.startswith("unix://"):
        yield Path(named.removeprefix("unix://"))
        return
    yield Path("/var/run/docker.sock")
    runtime = environ.get("XDG_RUNTIME_DIR")
    if runtime:
        yield from (Path(runtime) / "docker.sock", Path(runtime) / "podman/podman.sock")
    yield Path("/run/podman/podman.sock")


def _ping(path: Path, timeout: float) -> str:
    """Why the engine at that socket does not answer; empty if it does."""
    if sys.platform == "win32":
        return "Unix sockets are not supported on Windows"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout)
        try:
            connection.connect(str(path))
            connection.sendall(_PING)
            return "" if b" 200 " in connection.recv(64) else "it answers, but not like a container engine"
        except OSError as error:
            return error.strerror or str(error)


def count(findings: Iterable[Finding]) -> int:
    """How many are findings and not notes."""
    return sum(each.level == "finding" for each in findings)
