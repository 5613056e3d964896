"""Compare the files of each distribution with those that it lists: what is missing, what was changed since."""

from __future__ import annotations

import base64
import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from envguard.doctor.environments.conda import Packages
from envguard.doctor.environments.curing import Tools, typed
from envguard.doctor.environments.distribution import Distribution
from envguard.doctor.environments.installed import InstalledEnvironment
from envguard.doctor.finding import Finding, shown_of
from envguard.store.records import ListedFile

CHUNK = 1 << 20
LARGE = 8 << 20
"""A file of this many bytes is read again only if its times or size tell that it was written after its RECORD."""
CERTIFICATES = "cacert.pem"
READERS = min(4, os.cpu_count() or 1)


def damaged(environment: InstalledEnvironment, tools: Tools, conda: Packages) -> Iterator[tuple[str, Finding]]:
    """By its name, each distribution a list of its files, or whose files differ from it; not what a system owns."""
    for distribution in environment.distributions:
        if distribution.installer == "system":
            continue
        if not distribution.recorded:
            if distribution.of_pip:
                yield distribution.name, _unlisted(distribution, tools)
            continue
        missing, changed = _compare(distribution, conda.hashes)
        certificates = [path for path in changed if path.endswith(CERTIFICATES)]
        changed = [path for path in changed if path not in certificates]
        if certificates:
            yield distribution.name, _trusting_more(distribution, certificates)
        remedy, commands = _again(distribution, tools, conda)
        for paths, what in ((missing, "missing"), (changed, "changed")):
            if paths:
                said = f"{len(paths):,} of {len(distribution.files):,} files of {distribution} are {what}"
                yield (
                    distribution.name,
                    Finding(f"files {what}", "finding", said, shown_of(paths), remedy, commands),
                )


def _trusting_more(distribution: Distribution, paths: list[str]) -> Finding:
    said = (
        f"The certificates that {distribution} trusts were changed, as companies do that read their network's traffic"
    )
    return Finding("files changed", "note", said, shown_of(paths))


def _again(distribution: Distribution, tools: Tools, conda: Packages) -> tuple[str, tuple[str, ...]]:
    if distribution.installer == "conda":
        return f"install {distribution.name} again with conda", conda.reinstall(distribution)
    if distribution.source:
        return f"install {distribution.name} again from its folder", tools.install(
            [str(distribution.source)], editable=True
        )
    return f"install {distribution} again, from a fresh download", tools.reinstall([distribution])


def _unlisted(distribution: Distribution, tools: Tools) -> Finding:
    """pip cannot remove what has no RECORD, so the folder that hides that goes first."""
    return Finding(
        "record",
        "finding",
        f"{distribution} has no readable list of its files, so pip cannot remove or replace it",
        str(distribution.folder / "RECORD"),
        "remove its metadata and install the same version over it",
        (typed("rm", "-rf", distribution.folder), *tools.reinstall([distribution])),
    )


def _compare(distribution: Distribution, hashes: Mapping[Path, str]) -> tuple[list[str], list[str]]:
    """The listed files that are missing, and those whose content differs."""
    folder = distribution.folder.parent
    try:
        since = _last_written((distribution.folder / "RECORD").stat())
    except OSError:
        since = 0
    of_conda = distribution.installer == "conda"
    # conda puts commands elsewhere and writes its own folder into files; its own lists say with what result.
    listed = [each for each in distribution.files if not of_conda or not each.path.startswith("..")]
    if of_conda:
        listed = [_by_conda(each, hashes.get(folder / each.path, "")) for each in listed]
    with ThreadPoolExecutor(max_workers=READERS) as pool:
        states = list(pool.map(lambda each: _state(folder, each, since), listed))
    named = list(zip(listed, states, strict=True))
    return (
        [each.path for each, state in named if state == "missing"],
        [each.path for each, state in named if state == "changed"],
    )


def _by_conda(listed: ListedFile, sha256: str) -> ListedFile:
    digest = base64.urlsafe_b64encode(bytes.fromhex(sha256)).decode() if sha256 else ""
    return ListedFile(listed.distribution, listed.path, f"sha256={digest}" if digest else "")


def _last_written(status: os.stat_result) -> int:
    return max(status.st_mtime_ns, status.st_ctime_ns)


def _state(folder: Path, listed: ListedFile, since: int) -> str:
    path = os.path.join(folder, listed.path)  # noqa: PTH118 - of ten thousands of files, in a third of the time
    algorithm, _, expected = listed.recorded.partition("=")
    try:
        status = os.stat(path)  # noqa: PTH116 - as above
        if not stat.S_ISREG(status.st_mode):
            return "" if stat.S_ISDIR(status.st_mode) and not expected else "changed"
        if not expected or algorithm not in ("sha256", "sha384", "sha512"):
            return ""
        if listed.size.isdigit() and int(listed.size) != status.st_size:
            return "changed"
        if status.st_size >= LARGE and listed.size and _last_written(status) <= since:
            return ""
        digest = hashlib.new(algorithm)
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - as above
            while chunk := file.read(CHUNK):
                digest.update(chunk)
    except (OSError, ValueError):
        return "missing"
    return "" if base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode() == expected.rstrip("=") else "changed"
