"""Text that is safe to print: names of files and packages come from strangers."""

from __future__ import annotations

from envguard.errors import EnvguardError


def printable(text: str) -> str:
    """The text with every control character but the line feed written as an escape."""
    return "".join(char if char.isprintable() or char == "\n" else repr(char)[1:-1] for char in text)


def error_text(error: EnvguardError) -> str:
    """What happened, why, and what to do next, each part only if there is something to say."""
    lines = [f"envguard: {error.what}"]
    for label, text in (("why", error.why), ("next", error.next_step)):
        if text:
            first, *rest = text.splitlines()
            lines.append(f"  {label + ':':6}{first}")
            lines.extend(f"        {line}" for line in rest)
    return printable("\n".join(lines))
