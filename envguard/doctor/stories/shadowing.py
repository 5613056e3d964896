"""A module that is hidden by the user's own file of its name, as the paths of a traceback show."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from envguard.doctor.stories.told import Told, without_prefix

LONGEST_TRACEBACK = 400
_ERROR = re.compile(
    r"(?:AttributeError: (?P<part>partially initialized )?module '(?P<module>[\w.]{1,100})' has no attribute"
    r"|ImportError: cannot import name '?(?P<name>\w{1,100})'?"
    r"(?: from (?P<partly>partially initialized module )?'(?P<origin>[\w.]{1,100})')?"
    r"|No module named '[\w.]{1,100}'; '(?P<package>[\w.]{1,100})' is not a package)"
)
_TOLD = re.compile(r"\((?P<path>[^()]{1,300}\.py)\)\s*$|consider renaming '(?P<named>[^']{1,300}\.py)'")
_FRAME = re.compile(r'^\s*File "(?P<file>[^"]{1,400})", line \d+')
_IMPORT = re.compile(r"^\s*(?:from (?P<of>[\w.]{1,100}) import|import (?P<whole>[\w.]{1,100}))")
_LIBRARY = re.compile(r"[/\\](?:site-packages|dist-packages|[Pp]ython\d[\d.]{0,5}|[Ll]ib[/\\]\w+)[/\\]|^<")


def read(rows: Sequence[str], index: int) -> Told | None:
    """`shadowed` by a file of the user's; None where modules of one package import each other."""
    found = _ERROR.search(rows[index])
    if found is None:
        return None
    frames = list(_frames(rows, index))
    module = found["module"] or found["origin"] or found["package"] or _imported(rows, index)
    if not module:
        return None
    partly = bool(found["part"] or found["partly"])
    named = _TOLD.search(rows[index])
    path = (named["path"] or named["named"]) if named else ""
    own = next((each for each in (path, *frames) if each and _shadows(each, module)), "")
    if own or found["package"] or (partly and not frames and not path):
        return Told("shadowed", index, {"module": module, "file": own or f"{module.partition('.')[0]}.py"})
    return None


def _shadows(path: str, module: str) -> bool:
    """Whether it is a file of the user's own that has the module's name."""
    if _LIBRARY.search(path) or not path.endswith(".py"):
        return False
    parts = re.split(r"[/\\]", path)
    stem = parts[-1].removesuffix(".py")
    return stem == module.partition(".")[0] or (stem == module.rpartition(".")[2] and "." not in module)


def _frames(rows: Sequence[str], index: int) -> Iterator[str]:
    """The files of the traceback that ends in that row, the innermost first."""
    for row in reversed(rows[max(0, index - LONGEST_TRACEBACK) : index]):
        if row.strip().endswith("(most recent call last):"):
            return
        found = _FRAME.match(without_prefix(row))
        if found:
            yield found["file"]


def _imported(rows: Sequence[str], index: int) -> str:
    """The module that the line before the error imports: older Pythons do not name it."""
    for row in reversed(rows[max(0, index - 3) : index]):
        found = _IMPORT.match(without_prefix(row))
        if found:
            return found["of"] or found["whole"]
    return ""
