"""What the GPU delegate says of a model: it writes that to standard error, and MediaPipe's exception has none of it."""

from __future__ import annotations

import re

_LOGGED = re.compile(r"^[IWEF]\d{4} ")
"""MediaPipe's own log, which begins with severity and date."""

_ERROR = "ERROR: "
_ENDS = ("INFO: ", "WARNING: ", "Calculator")


def delegates_words(log: str) -> str:
    """The delegate's errors, which may have several lines each, in one line; empty if there are none."""
    found: list[str] = []
    inside = False
    for line in map(str.strip, log.splitlines()):
        if line.startswith(_ERROR):
            inside = True
        elif not line or _LOGGED.match(line) or line.startswith(_ENDS):
            inside = False
        if inside:
            found.append(line[len(_ERROR) :] if line.startswith(_ERROR) else line)
    return " ".join(dict.fromkeys(found))
