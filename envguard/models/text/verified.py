"""What a file that existed already came to, for a reader: on a terminal, and as Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from envguard.models.text.models import reused_lines
from envguard.models.text.roads import road_section, road_table
from envguard.models.text.tables import on_one_line, wrapped
from envguard.payload.contract import VerifyDocument

ALONE = "There is no original to judge it against; name one with --against."


def as_text(document: VerifyDocument) -> str:
    """The table of roads, the verdict last, where the eye is."""
    file = document.input
    lines = [f"{Path(file.path).name}: {file.bytes:,} bytes, sha256 {file.sha256[:16]}…", ""]
    lines += [*road_table(_against(document), document.roads), "", *_verdict(document), *reused_lines(document.steps)]
    return "\n".join(lines)


def as_markdown(document: VerifyDocument) -> str:
    """The same as Markdown."""
    parts = [
        f"# {document.task} of {Path(document.input.path).name}: {document.verdict}",
        "\n".join(_verdict(document)),
        "## Roads",
        _against(document),
        *road_section(document.roads),
    ]
    return "\n\n".join(parts) + "\n"


def _against(document: VerifyDocument) -> str:
    original = document.original
    return ALONE if original is None else f"Against {Path(original.path).name}, each on the same road:"


def _verdict(document: VerifyDocument) -> Iterator[str]:
    yield f"verdict: {document.verdict}"
    for failure in document.failures:
        yield from wrapped(f"  {failure.name} ({failure.step}): {on_one_line(failure.message)}")
        if failure.next:
            yield f"    next: {failure.next}"
