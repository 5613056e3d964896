"""Make a lock: uv resolves for all platforms up to a cut-off date, and the result names no package index."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from packaging.pylock import Package, PackageArchive, PackageSdist, PackageWheel, Pylock
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

from envguard.errors import BrokenData, EnvguardError
from envguard.locks.evidence import missing_packages
from envguard.locks.lockfile import Lock, LockedPackage, LockedWheel, LockRequest
from envguard.locks.named_indexes import addresses_of, without_named
from envguard.locks.sdists.built import LockedBuild
from envguard.locks.uv import UvSetup
from envguard.locks.uv_project import compile_command, export_command, resolve_command, write_project
from envguard.platform_tags import LockPlatform, fits_python, marker_values, platforms_of
from envguard.requirement import by_name, written
from envguard.toml import parse_toml

# What uv says if the packages themselves are at fault, and what refutes that: an index that does not have a package at
# all, or a disabled network, says nothing about the package.
FAULTS = ("No solution found",)
NO_EVIDENCE = ("was not found in", "network was disabled")
# How uv begins to tell of a failure for a Python or a platform that need not be the one that a lock is for.
_OTHER_PYTHON = "for split (markers:"
_UNTRUSTED = ("UnknownIssuer", "BadSignature")  # of a certificate whose authority is not trusted here


class CannotResolve(EnvguardError):
    """The requirements have no common solution among the available wheels (exit code 3)."""

    exit_code = 3


class CannotAsk(EnvguardError):
    """uv could not find out, because the package index gave no usable answer (exit code 3)."""

    exit_code = 3


def resolve(request: LockRequest, *, cut_off: str, uv: UvSetup) -> Lock:
    """Resolve one edition for one Python minor; the same arguments give the same lock.

    Uploads after `cut_off` (RFC 3339) are ignored. Packages to build have their sdist and no wheel yet.
    Raises CannotResolve or CannotAsk with uv's own words.
    """
    try:
        return _resolve(request, cut_off, uv)
    except CannotResolve as error:
        for name in missing_packages(error.why):
            _refuse_silent_index(name, request, cut_off, uv, error)
        raise


def _refuse_silent_index(name: str, request: LockRequest, cut_off: str, uv: UvSetup, error: CannotResolve) -> None:
    """Raise CannotAsk if the index tells nothing at all of a package: then it says nothing of one version either."""
    alone = replace(request, requires=(name,), overrides=(), pins=(), dependencies=False, prereleases="allow")
    try:
        _resolve(alone, cut_off, uv)
    except CannotResolve as nothing:
        if missing_packages(nothing.why):
            raise CannotAsk(
                f"The package index has nothing of {name} that it dates before {cut_off}.",
                why=error.why,
                next_step="Check that the index has the package and tells when its files were uploaded, or use another "
                "cut-off date, or write dates = false into [index]; then run the same command again.",
            ) from error


def _resolve(request: LockRequest, cut_off: str, uv: UvSetup) -> Lock:
    """Resolve for every Python from the request's minor on, or, where that fails or is not asked for, for it alone.

    The first way is kept, since another way could choose other releases than the locks that it has made.
    """
    if request.platforms or request.indexes or request.build or _has_places(request):
        return _resolve_limited(request, cut_off, uv)
    try:
        return _resolve_universally(request, cut_off, uv)
    except CannotResolve as error:
        if not (request.dependencies and _OTHER_PYTHON in error.why):
            raise
        return _resolve_limited(request, cut_off, uv)


def _has_places(request: LockRequest) -> bool:
    try:
        return bool(request.placed)
    except ValueError as error:
        raise _not_a_requirement(error) from error


def _resolve_universally(request: LockRequest, cut_off: str, uv: UvSetup) -> Lock:
    with tempfile.TemporaryDirectory(prefix="envguard-lock-") as name:
        folder = Path(name)
        output = folder / "pylock.toml"
        wanted = folder / "requirements.in"
        wanted.write_text(_file_of(request.requires), encoding="utf-8")
        command = compile_command(wanted, output, request, cut_off, uv.cache)
        for option, requirements in (("--overrides", request.overrides), ("--constraints", request.pins)):
            if requirements:
                file = folder / f"{option.lstrip('-')}.in"
                file.write_text(_file_of(requirements), encoding="utf-8")
                command += [option, file]
        _run(command, request, folder, uv)
        return request.lock(cut_off, _locked_packages(output, request))


def _resolve_limited(request: LockRequest, cut_off: str, uv: UvSetup) -> Lock:
    served = dict(request.indexes)
    addresses = addresses_of(sorted(set(served.values())), uv.variables)
    alone = replace(uv, variables=without_named(uv.variables, addresses))
    required = {canonicalize_name(Requirement(by_name(each)).name) for each in request.requires}
    found: set[str] = set()
    while True:
        packages = _export_limited(request, cut_off, alone, addresses, found)
        new = {each.name for each in packages if each.name in served} - required - found
        if not new:
            return request.lock(cut_off, tuple(replace(each, index=served.get(each.name, "")) for each in packages))
        found |= new


def _export_limited(
    request: LockRequest, cut_off: str, uv: UvSetup, addresses: Mapping[str, str], found: Collection[str]
) -> tuple[LockedPackage, ...]:
    with tempfile.TemporaryDirectory(prefix="envguard-lock-") as name:
        folder = Path(name)
        output = folder / "pylock.toml"
        try:
            project = write_project(request, folder, addresses, found)
        except ValueError as error:
            raise _not_a_requirement(error) from error
        if request.dependencies:
            _run(resolve_command(request, cut_off, uv.cache), request, folder, uv)
            _run(export_command(output, uv.cache), request, folder, uv)
        else:
            _run(compile_command(project, output, request, cut_off, uv.cache), request, folder, uv)
        return _locked_packages(output, request)


def _run(command: Sequence[str | Path], request: LockRequest, folder: Path, uv: UvSetup) -> None:
    run = subprocess.run(
        [uv.binary, *command],
        env=dict(uv.variables),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
    )
    if run.returncode != 0:
        raise _failure(request, run.stderr.strip())


def _file_of(requirements: Iterable[str]) -> str:
    """A file of requirements: each read and written out again, so that uv reads nothing else in it."""
    try:
        return "\n".join(map(written, requirements)) + "\n"
    except ValueError as error:
        raise _not_a_requirement(error) from error


def _not_a_requirement(error: ValueError) -> BrokenData:
    return BrokenData(f"The catalog {error}.", next_step="Correct that requirement.")


def blames_packages(said: str) -> bool:
    """Whether uv's words blame the packages, and not the network or the index in use."""
    return any(words in said for words in FAULTS) and not any(words in said for words in NO_EVIDENCE)


def _failure(request: LockRequest, said: str) -> EnvguardError:
    what, python = f"{request.environment} {request.edition}", request.python
    if blames_packages(said):
        return CannotResolve(
            f"The requirements of {what} cannot be resolved for Python {python}.",
            why=said,
            next_step="Change the requirements in the catalog, or use another cut-off date.",
        )
    return CannotAsk(
        f"The requirements of {what} could not be resolved for Python {python}.",
        why=said,
        next_step=_settings_to_check(request, said),
    )


def _settings_to_check(request: LockRequest, said: str) -> str:
    """What may be missing where an index gave no answer: uv says "not found" of one that wants a password, too."""
    if any(words in said for words in _UNTRUSTED):
        return "Set SSL_CERT_FILE to a file with the authorities to trust, and run the same command again."
    named = sorted({index for package, index in request.indexes if f"{package} was not found in" in said})
    if not named:
        return "Check the network, the proxy and the index settings, then run the same command again."
    variables = " and ".join(
        f"UV_INDEX_{named[0].upper().replace('-', '_')}_{each}" for each in ("USERNAME", "PASSWORD")
    )
    return (
        f"Check the url of the index {named[0]} and that it has the package. If it asks for a user and a password, set "
        f"{variables}, and run the same command again."
    )


def _locked_packages(pylock: Path, request: LockRequest) -> tuple[LockedPackage, ...]:
    document = Pylock.from_dict(parse_toml(pylock.read_text(encoding="utf-8")))
    platforms = platforms_of(request.platforms)
    locked = []
    for package in document.packages:
        marker = _marker_for(package, platforms, request.python)
        if marker is None:
            continue
        if package.sdist is not None and canonicalize_name(package.name) in request.build:
            build = _build(package.sdist)
            locked.append(LockedPackage(package.name, str(package.version), marker, (), build=build))
            continue
        if package.archive is not None:
            locked.append(replace(_given(package.archive, request), marker=marker))
            continue
        wheels = tuple(
            sorted((_wheel(each) for each in package.wheels or () if fits(_filename(each), request)), key=_by_filename)
        )
        if not wheels:
            raise CannotResolve(
                "A package has no wheel.",
                why=f"{package.name} {package.version} has no wheel for Python {request.python}, "
                "and only wheels are locked",
                next_step="Pin another version of that package in the catalog, or let its sdist be built: "
                f'build = ["{package.name}"]',
            )
        locked.append(LockedPackage(package.name, str(package.version), marker, wheels))
    return tuple(sorted(locked, key=lambda package: (package.name, package.version)))


def _given(archive: PackageArchive, request: LockRequest) -> LockedPackage:
    """The package that a requirement gives the wheel of; raises CannotAsk if that changed meanwhile."""
    for each in request.given:
        if any(wheel.sha256 == archive.hashes.get("sha256") for wheel in each.package.wheels):
            return each.package
    raise CannotAsk(
        f"The wheel {PurePosixPath(archive.path or '').name} was changed while it was locked.",
        next_step="Run the same command again.",
    )


def _marker_for(package: Package, platforms: Sequence[LockPlatform], python: str) -> str | None:
    """The package's marker if it depends on the platform; empty if always true on that Python, None if never."""
    if package.marker is None:
        return ""
    truths = {package.marker.evaluate(values) for values in marker_values(platforms, python)}
    if truths == {True}:
        return ""
    return str(package.marker).replace('"', "'") if True in truths else None


def fits(filename: str, request: LockRequest) -> bool:
    """Whether CPython of the request's minor could install the wheel on a platform that the request is for."""
    wanted = platforms_of(request.platforms) if request.platforms else ()
    return any(
        fits_python(tag, request.python)
        for tag in parse_wheel_filename(filename)[3]
        if not wanted or any(each.takes(tag) for each in wanted)
    )


def _build(sdist: PackageSdist) -> LockedBuild:
    return LockedBuild(_filename(sdist), sdist.hashes["sha256"], url=sdist.url or "")


def _wheel(wheel: PackageWheel) -> LockedWheel:
    return LockedWheel(_filename(wheel), wheel.hashes["sha256"])


def _by_filename(wheel: LockedWheel) -> str:
    return wheel.filename


def _filename(file: PackageWheel | PackageSdist) -> str:
    if file.name:
        return file.name
    return unquote(urlsplit(file.url or "").path.rsplit("/", 1)[-1])
