"""What a lock says of a package whose wheel is built: the sdist's file and hash, and the lock of what builds it.

These are comments, so that pip and uv read a lock as they did. A lock without such packages has none of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from packaging.utils import (
    InvalidWheelFilename,
    canonicalize_name,
    parse_wheel_filename,
)
from packaging.version import Version

from envguard.requirement import parsed

_FILE = r"[A-Za-z0-9_.!+-]+"
# Not always an sdist's name: an archive at an address may have any, and of a commit it is ours.
_ARCHIVE = r"[A-Za-z0-9_][A-Za-z0-9_.!+-]*\.(?:tar\.gz|zip|tar)"
_HASH = r"sha256:[0-9a-f]{64}"
LINES = (
    rf"# sdist: {_ARCHIVE} {_HASH}\n(?:# compiled-by: [!-~][ -~]*\n)?"
    rf"(?:# built-with: {_FILE}\.whl {_HASH}(?: ; [^\\#\n]+)?\n)*"
)
"""The lines, as a regular expression."""
_SDIST = re.compile(rf"# sdist: ({_FILE}) sha256:(\S+)\n")
_COMPILER = re.compile(r"# compiled-by: (.+)\n")
_TOOL = re.compile(rf"({_FILE}\.whl) sha256:([0-9a-f]{{64}})(?: ; ([^\\#\n]+))?")
_BUILT_WITH = re.compile(r"# built-with: (.+)\n")


@dataclass(frozen=True, slots=True)
class BuildTool:
    """A wheel of a package that a build needs, where `marker` (PEP 508) is true; an empty one is."""

    filename: str
    sha256: str
    marker: str = ""

    @property
    def release(self) -> tuple[str, str]:
        """The package and its version."""
        name, version, *_ = parse_wheel_filename(self.filename)
        return name, str(version)

    def __str__(self) -> str:
        return f"{self.filename} sha256:{self.sha256}" + (f" ; {self.marker}" if self.marker else "")

    @classmethod
    def parse(cls, text: str) -> BuildTool:
        """Read what `str` gives; raises ValueError for a file or a marker that cannot be one."""
        match = _TOOL.fullmatch(text)
        if match is None:
            raise ValueError(f"names {text[:80]!r}, which is no wheel to build with")
        tool = cls(match[1], match[2], match[3] or "")
        try:
            name, version = tool.release
        except InvalidWheelFilename as error:
            raise ValueError(f"names a file that is none to build with: {error}") from error
        parsed(f"{name}=={version}" + (f" ; {tool.marker}" if tool.marker else ""))
        return tool


@dataclass(frozen=True, slots=True)
class LockedBuild:
    """An sdist and the wheels that are there when it is built, all with their SHA-256 in hex.

    If the wheel has native code, `compiler` is what compiled it, as it calls itself: no lock can bring that. `url` is
    where the index has the sdist, which is known right after resolving and never written. The project is in the
    `subdirectory` of what is unpacked, which the requirement says.
    """

    filename: str
    sha256: str
    tools: tuple[BuildTool, ...] = ()
    compiler: str = ""
    url: str = field(default="", compare=False)
    subdirectory: str = field(default="", compare=False)

    def lines(self) -> Iterator[str]:
        """The lines in a lock."""
        yield f"# sdist: {self.filename} sha256:{self.sha256}"
        if self.compiler:
            yield f"# compiled-by: {self.compiler}"
        for tool in self.tools:
            yield f"# built-with: {tool}"

    @classmethod
    def parse(cls, text: str) -> LockedBuild | None:
        """Read such lines, None if there are none; raises ValueError for a file or a marker that cannot be one."""
        match = _SDIST.match(text)
        if match is None:
            return None
        tools = tuple(map(BuildTool.parse, _BUILT_WITH.findall(text)))
        compiler = _COMPILER.search(text)
        return cls(match[1], match[2], tools, compiler[1] if compiler else "")


@dataclass(frozen=True, slots=True)
class KnownRelease:
    """What a release requires (PEP 508), read from the wheel that was built from it."""

    name: str
    version: str
    requires: tuple[str, ...]


# What nearly all wheels are like. packaging takes ten times as long to say so.
_TAGS = re.compile(r"(?:[0-9][A-Za-z0-9_]*-)?[A-Za-z0-9_.]+-[A-Za-z0-9_.]+-[A-Za-z0-9_.]+\.whl")


def is_wheel_of(filename: str, name: str, version: str) -> bool:
    """Whether a file's name is that of a wheel of a release, or without a version, of any of the package."""
    plain = f"{name.replace('-', '_')}-{version}-"
    if version and filename.startswith(plain) and _TAGS.fullmatch(filename, len(plain)):
        return True
    try:
        found, its_version, *_ = parse_wheel_filename(filename)
        return found == canonicalize_name(name) and (not version or its_version == Version(version))
    except InvalidWheelFilename:
        return False
