"""Logs of any length and any content are read in constant memory, and nothing in them is missed."""

from __future__ import annotations

import codecs
import io
import resource
import time

import pytest

from envguard.doctor import log as log_reader
from envguard.doctor.diagnosing import diagnose
from envguard.doctor.log import blocks

FAILURE = b"OSError: [Errno 28] No space left on device"


@pytest.mark.parametrize("before", [0, 1, 50, 199, 200, 201, 5000])
@pytest.mark.parametrize("size", [64, 1000, 1 << 20])
def test_every_line_is_in_a_block_with_its_own_number(before: int, size: int) -> None:
    log = b"".join(b"line %d\n" % number for number in range(1, before + 1)) + b"the last"
    seen: dict[int, str] = {}
    for block in blocks(io.BytesIO(log), size=size):
        for number, row in zip(block.numbers, block.rows, strict=True):
            assert seen.setdefault(number, row) == row
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


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
def test_what_powershell_redirects_is_read(encoding: str) -> None:
    log = ("Überprüfung\r\n" + FAILURE.decode() + "\r\n").encode(encoding)
    (hint,) = diagnose(io.BytesIO(log)).hints
    assert (hint.rule.identifier, hint.line, hint.text) == ("no_space", 2, FAILURE.decode())


def test_a_mark_of_either_byte_order_is_heeded() -> None:
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        (block,) = blocks(io.BytesIO(mark + "空间不足。 c10.dll\r\n".encode(encoding)))
        assert block.rows == ("空间不足。 c10.dll",)


def test_what_powershell_appends_to_another_tool_s_log_is_read() -> None:
    log = b"collecting\n" + (FAILURE.decode() + "\r\n").encode("utf-16-le")
    assert diagnose(io.BytesIO(log)).hints[0].text == FAILURE.decode()


@pytest.mark.parametrize("column", [3_000, 3_980, 4_000, 9_999, 65_000, 70_000, 3_000_000])
def test_a_failure_is_found_in_whatever_column_it_stands(column: int) -> None:
    (hint,) = diagnose(io.BytesIO(b"first\n" + b"x" * column + FAILURE + b"y" * 9_000)).hints
    assert (hint.rule.identifier, hint.line) == ("no_space", 2)
    assert "OSError: [Errno 28]" in hint.text


def test_of_a_log_that_is_too_long_the_end_is_read_with_its_own_line_numbers() -> None:
    log = b"".join(b"line %d\n" % number for number in range(1, 5001)) + FAILURE
    read = list(blocks(io.BytesIO(log), size=100, beginning=1000))
    assert read[-1].rows[-1] == FAILURE.decode()
    assert read[-1].numbers[-1] == 5001
    assert read[-1].cut
    assert sum(len(block.text) for block in read) < len(log)
    whole = list(blocks(io.BytesIO(log), size=100, beginning=len(log) - 700))
    assert not whole[-1].cut
    assert {number for block in whole for number in block.numbers} == set(range(1, 5002))


def test_an_empty_log_has_no_hint() -> None:
    assert diagnose(io.BytesIO(b"")).hints == ()


def test_a_line_without_end_takes_no_memory_to_speak_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_reader, "LONGEST_MIDDLE", 64 << 20)

    class Endless(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            return b"x" * size

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for block in blocks(Endless(), beginning=32 << 20):  # type: ignore[arg-type]
        assert len(block.text) < 2 << 20
    assert block.cut
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024  # KiB


def test_ten_megabytes_of_a_literal_are_read_in_a_second_or_two() -> None:
    log = b"Because the literal of a rule stands here, but not its pattern\n" * 160_000
    began = time.process_time()
    assert diagnose(io.BytesIO(log)).hints == ()
    assert time.process_time() - began < 4.0
