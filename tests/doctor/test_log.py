"""Logs of any length and any content are read in constant memory, and nothing in them is missed."""

from __future__ import annotations

import io
import resource
import time

import pytest

from envguard.doctor.diagnosing import diagnose
from envguard.doctor.log import blocks

FAILURE = b"OSError: [Errno 28] No space left on device"


@pytest.mark.parametrize("before", [0, 1, 50, 199, 200, 201, 5000])
@pytest.mark.parametrize("size", [64, 1000, 1 << 20])
def test_every_line_is_in_a_block_with_its_own_number(before: int, size: int) -> None:
    log = b"".join(b"line %d\n" % number for number in range(1, before + 1)) + b"the last"
    seen: dict[int, str] = {}
    for block in blocks(io.BytesIO(log), size=size):
        for index, line in enumerate(block.lines):
            assert seen.setdefault(block.first + index, line) == line
    assert seen.pop(before + 1) == "the last"
    assert seen == {number: f"line {number}" for number in range(1, before + 1)}


def test_a_failure_is_found_wherever_it_stands() -> None:
    for position in (0, 3, 40_000):
        lines = [b"downloading " + b"x" * 60] * 40_001
        lines[position] = FAILURE
        (hint,) = diagnose(io.BytesIO(b"\n".join(lines))).hints
        assert (hint.rule.identifier, hint.line) == ("no_space", position + 1)


def test_a_sentence_that_a_terminal_broke_is_read_whole() -> None:
    log = b"ImportError: you should not try to import numpy from\n        its source directory; please exit"
    assert [hint.rule.identifier for hint in diagnose(io.BytesIO(log)).hints] == ["numpy_source_dir"]


def test_colours_and_progress_bars_hide_nothing() -> None:
    log = b"\x1b[2K 10%\r 50%\r\x1b[1;31merror\x1b[0m: No space \x1b[1mleft on device\x1b[0m\r\n"
    (hint,) = diagnose(io.BytesIO(log)).hints
    assert hint.text == "error: No space left on device"


def test_bytes_that_are_no_text_are_no_obstacle() -> None:
    assert diagnose(io.BytesIO(b"\xff\xfe\x00\n" + FAILURE)).hints[0].line == 2


def test_an_empty_log_has_no_hint() -> None:
    assert diagnose(io.BytesIO(b"")).hints == ()


def test_a_line_without_end_takes_no_memory_to_speak_of() -> None:
    class Endless(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            return b"x" * size

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    diagnosis = diagnose(Endless())  # type: ignore[arg-type]
    assert diagnosis.cut
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024  # KiB


def test_ten_megabytes_of_a_literal_are_read_in_a_second_or_two() -> None:
    log = b"Because the literal of a rule stands here, but not its pattern\n" * 160_000
    began = time.process_time()
    assert diagnose(io.BytesIO(log)).hints == ()
    assert time.process_time() - began < 4.0
