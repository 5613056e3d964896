"""The files of a commit, fetched by the host's Git as data: nothing of the repository runs, and none of its filters.

They are read as Git stores them and packed in one order with the same facts, so that a commit gives the same bytes
everywhere. Git runs with the user's own settings, since these say how a host is reached; its hooks do not run.
"""

from __future__ import annotations

import os
import re
import subprocess
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from envguard.errors import BrokenData, NoEnvironment
from envguard.host.secrets import without_secrets
from envguard.host.variables import git_variables
from envguard.requirement import Place

SECONDS = 1800
LARGEST_SOURCES = 1_000_000_000
TOP = "source"
_TIME = 315532800  # as in wheels that are built
_COMMIT = re.compile(r"[0-9a-f]{7,64}")
# What Git says if a server cannot send one commit alone, as one of plain files cannot, or does not know its name.
_NOT_ALONE = re.compile(r"shallow|couldn't find remote ref|not our ref|unadvertised object")
_ENTRY = re.compile(
    rb"(?P<mode>[0-9]{6}) (?P<kind>\w+) (?P<object>[0-9a-f]+) +(?P<size>[0-9]+|-)\t(?P<path>.+)", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Repository:
    """An empty repository in a new `folder`, into which one commit is fetched; `variables` are an installer's."""

    folder: Path
    variables: Mapping[str, str]
    environ: Mapping[str, str]

    def fetch(self, place: Place, commit: str = "") -> str:
        """Fetch that commit, or what the place names; gives back the commit. Raises NoEnvironment."""
        wanted = commit or place.ref or "HEAD"
        self._git(place, "init", "--bare", "--quiet", "--template=", self.folder)
        options = ["fetch", "--quiet", "--no-tags", "--no-recurse-submodules"]
        try:
            self._git(place, *options, "--depth=1", place.where, wanted)
        except NoEnvironment as error:
            if not _NOT_ALONE.search(error.why):
                raise
            everything = ["+refs/*:refs/*"] if _COMMIT.fullmatch(wanted) else [wanted]
            self._git(place, *options, place.where, *everything)
            named = wanted if _COMMIT.fullmatch(wanted) else "FETCH_HEAD"
        else:
            named = "FETCH_HEAD"
        return self._git(place, "rev-parse", "--verify", f"{named}^{{commit}}").decode().strip()

    def pack(self, place: Place, commit: str, target: Path) -> None:
        """Write the commit's files as a tar, in one folder; raises BrokenData if it has files of another repository."""
        entries = list(self._entries(place, commit))
        if sum(int(each["size"]) for each in entries) > LARGEST_SOURCES:
            raise self._failed(place, f"its files are larger than {LARGEST_SOURCES:,} bytes")
        asked = b"".join(each["object"] + b"\n" for each in entries)
        content = BytesIO(self._git(place, "cat-file", "--batch", asked=asked))
        with target.open("xb") as file, tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
            top = tarfile.TarInfo(TOP)
            top.type, top.mode, top.mtime = tarfile.DIRTYPE, 0o755, _TIME
            tar.addfile(top)
            for each in entries:
                content.readline()
                blob = content.read(int(each["size"]) + 1)[:-1]
                member = tarfile.TarInfo(f"{TOP}/{os.fsdecode(each['path'])}")
                member.mtime, member.mode = _TIME, 0o755 if each["mode"] == b"100755" else 0o644
                if each["mode"] == b"120000":
                    member.type, member.linkname = tarfile.SYMTYPE, os.fsdecode(blob)
                    tar.addfile(member)
                    continue
                member.size = len(blob)
                tar.addfile(member, BytesIO(blob))

    def _entries(self, place: Place, commit: str) -> Iterator[re.Match[bytes]]:
        listed = self._git(place, "ls-tree", "-r", "-z", "-l", "--full-tree", commit)
        for line in filter(None, listed.split(b"\0")):
            entry = _ENTRY.fullmatch(line)
            if entry is None or entry["kind"] != b"blob":
                raise BrokenData(
                    f"The commit {commit} of {place.where} holds another repository.",
                    why=f"{os.fsdecode(line[:200])}: submodules are not fetched",
                    next_step="Make a wheel of it yourself, put that into the project and name it: 'NAME @ "
                    "file:wheels/FILE.whl'.",
                )
            yield entry

    def _git(self, place: Place, *arguments: str | Path, asked: bytes = b"") -> bytes:
        command: Sequence[str | Path] = [
            "git", "-c", f"core.hooksPath={os.devnull}", "-c", "core.fsmonitor=false", "-c", "gc.auto=0",
            "-c", "maintenance.auto=false", "-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=60", *arguments,
        ]  # fmt: skip
        # Git's own protocols and no others, such as `ext`, which would run what an address says.
        scheme = place.where.partition("://")[0]
        protocols = {"GIT_ALLOW_PROTOCOL": ":".join(dict.fromkeys(("https", "ssh", scheme)))}
        try:
            run = subprocess.run(
                command,
                env={**git_variables(self.environ, self.variables), **protocols, "GIT_DIR": str(self.folder)},
                cwd=self.folder.parent,
                input=asked,
                capture_output=True,
                timeout=SECONDS,
            )
        except OSError as error:
            raise NoEnvironment(
                f"{place.where} cannot be fetched.", why=f"Git cannot be started: {error}", next_step="Install Git."
            ) from error
        except subprocess.TimeoutExpired as error:
            raise self._failed(place, f"it was not done after {SECONDS:,} seconds") from error
        if run.returncode != 0:
            raise self._failed(place, run.stderr.decode("utf-8", "replace").strip())
        return run.stdout

    def _failed(self, place: Place, why: str) -> NoEnvironment:
        return NoEnvironment(
            f"{place.where} cannot be fetched{f' at {place.ref}' if place.ref else ''}.",
            why=without_secrets(why, {**self.environ, **self.variables}),
            next_step="Check the address, the branch or tag, the network and Git's own settings: "
            f"git ls-remote {place.where}",
        )
