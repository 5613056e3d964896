"""Exit codes of Windows' programs: 32 bits, in which the system says what ended a program."""

from __future__ import annotations

INTERRUPTED = 130
_CONTROL_C = 0xC000013A

_CRASHES = {
    0xC0000005: "an access violation",
    0xC000001D: "an instruction that this processor does not have",
    0xC00000FD: "a stack overflow",
    0xC0000135: "a DLL that was not found",
    0xC0000139: "a function that a DLL does not have",
    0xC0000142: "a DLL that could not be initialized",
    0xC0000374: "a damaged heap",
    0xC0000409: "a program that aborted itself",
}
"""NTSTATUS values (Microsoft, "NTSTATUS Values"), as causes of an end."""


def as_ours(code: int) -> int:
    """A code that `sys.exit` can pass on unchanged: signed, as C has it; that of Ctrl-C as shells have it."""
    if code == _CONTROL_C:
        return INTERRUPTED
    return code - (1 << 32) if code >= 1 << 31 else code


def crash(code: int) -> str:
    """What ended a program, if its code is one of Windows' own; else an empty text."""
    return _CRASHES.get(code % (1 << 32), "")
