"""`envguard --version`: which envguard this is, and with `--json` all that its answers depend on."""

from __future__ import annotations

import platform
import sysconfig

from envguard import __version__
from envguard.catalog.shipped import BUILTIN, shipped_lockfiles
from envguard.files import file_facts


def version_document() -> dict[str, object]:
    """Version, Python and platform, and the SHA-256 of the shipped catalog and of each shipped lock, by its name."""
    folder = shipped_lockfiles()
    locks = {path.relative_to(folder).with_suffix("").as_posix(): path for path in sorted(folder.glob("*/*/cp*.txt"))}
    return {
        "version": __version__,
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": sysconfig.get_platform(),
        "catalog": file_facts(BUILTIN).sha256,
        "locks": {name: file_facts(path).sha256 for name, path in locks.items()},
    }
