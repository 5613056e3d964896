"""What services, containers and mail put before each line of a log hides nothing in it."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from envguard.doctor.diagnosing import diagnose
from tests.support.logs_kept import threads

BEFORE: dict[str, Callable[[bytes], bytes]] = {
    "Windows": lambda line: line + b"\r",
    "colours": lambda line: b"\x1b[31m" + line + b"\x1b[0m",
    "a build of Docker's": lambda line: b"#12 3.456 " + line,
    "an older Docker": lambda line: b"3.456 " + line,
    "a time": lambda line: b"[2024-05-06 10:11:12] " + line,
    "a service's time": lambda line: b"2024-05-06T10:11:12.1234567Z " + line,
    "compose": lambda line: b"web-1  | " + line,
    "mail": lambda line: b"> " + line,
}


def first_hint(log: bytes) -> str | None:
    hints = diagnose(io.BytesIO(log)).hints
    return hints[0].rule.identifier if hints else None


@pytest.mark.parametrize("before", BEFORE)
def test_every_eighth_text_is_told_alike_behind_it(before: str) -> None:
    for log in list(threads("made_from"))[::8]:
        text = log.read_bytes()
        if b"\0" not in text:
            changed = b"\n".join(BEFORE[before](line) for line in text.split(b"\n"))
            assert (log.stem, first_hint(changed)) == (log.stem, first_hint(text))
