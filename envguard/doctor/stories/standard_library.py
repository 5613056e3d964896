"""What Python itself does not have yet, or no longer: its own modules are never mended by installing a package."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import cast

from envguard.doctor.stories.told import Told, sentence
from envguard.toml import parse_toml

PYTHONS = Path(__file__).with_name("standard_library.toml")
_MISSING = re.compile(
    r"No module named '(?P<only>[\w.]{1,80})'(?!; )"
    r"|cannot import name '(?P<name>\w{1,80})' from '(?P<of>[\w.]{1,80})'"
    r"|module '(?P<module>[\w.]{1,80})' has no attribute '(?P<attribute>\w{1,80})'"
    r"|from (?P<source>[\w.]{1,80}) import [^\n]{1,200}? ImportError: cannot import name '?(?P<what>\w{1,80})"
)
JOINED = 3


def read(rows: Sequence[str], index: int) -> Told | None:
    """`newer`: the code needs a newer Python; `older`: an older one; `other`: one of them."""
    found = _MISSING.search(sentence(rows, index, JOINED))
    if found is None or found.start() > len(rows[index]):
        return None
    module = found["only"] or found["of"] or found["module"] or found["source"]
    name = found["name"] or found["attribute"] or found["what"] or ""
    first, last = _pythons()
    key = f"{module}:{name}" if name else module
    values = {"what": f"{module}.{name}" if name else module}
    if key in first:
        return Told("newer", index, {**values, "python": first[key]})
    if key in last:
        return Told("older", index, {**values, "python": last[key]})
    if name and module.partition(".")[0] in sys.stdlib_module_names:
        return Told("other", index, values)
    return None


@cache
def _pythons() -> tuple[Mapping[str, str], Mapping[str, str]]:
    """The first Python that has a module or a name of one, and the last, from `standard_library.toml`."""
    table = parse_toml(PYTHONS.read_text(encoding="utf-8"))
    return cast("Mapping[str, str]", table["first"]), cast("Mapping[str, str]", table["last"])
