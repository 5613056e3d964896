"""Which interpreters envguard can build environments with, and why not the others."""

from __future__ import annotations

from envguard.host.interpreters import InterpreterFacts

OLDEST = (3, 9)

# Measured: ai_edge_litert does not import without ctypes, and no compressed archive opens without zlib.
NEEDED = {
    "_ctypes": "libffi (Debian: libffi-dev)",
    "zlib": "zlib (Debian: zlib1g-dev)",
}


def reasons_against(facts: InterpreterFacts) -> tuple[str, ...]:
    """Why envguard cannot use this interpreter, one sentence each; empty if it can."""
    reasons = []
    if facts.implementation != "cpython":
        reasons.append(f"{facts.implementation_name}: the locked packages only have wheels for CPython.")
    if facts.version[:2] < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        reasons.append(f"Too old: Python {oldest} or newer is needed.")
    if facts.bits != 64:
        reasons.append(f"{facts.bits}-bit: the locked packages only have wheels for 64-bit Pythons.")
    if facts.free_threaded:
        reasons.append("Free-threaded: the locked packages only have wheels for the default build.")
    reasons += [
        f"Built without {name}: install the headers of {library} and rebuild this Python."
        for name, library in NEEDED.items()
        if name in facts.missing_modules
    ]
    return tuple(reasons)


def notes_on(facts: InterpreterFacts) -> tuple[str, ...]:
    """What a user may want to know about a usable interpreter, one sentence each."""
    notes = []
    if facts.version.releaselevel != "final":
        notes.append("A pre-release: packages may not have wheels for it.")
    if "ensurepip" in facts.missing_modules:
        # Measured with uv 0.13: `uv venv` and `uv pip install` need neither ensurepip nor the venv module.
        notes.append("No ensurepip: `python -m venv` fails with it, but envguard does not need it.")
    if _needs_distutils(facts) and "distutils" in facts.missing_modules:
        notes.append("No distutils: uv refuses this Python, so virtualenv and pip install for it.")
    absent = sorted(set(facts.missing_modules) - set(NEEDED) - {"ensurepip", "distutils"})
    if absent:
        notes.append(f"Built without {', '.join(absent)}: packages that import them fail.")
    return tuple(notes)


def _needs_distutils(facts: InterpreterFacts) -> bool:
    """Before 3.10, uv reads a Python's installation paths from distutils, and refuses Pythons without it."""
    return facts.version[:2] < (3, 10)
