"""A step's log that holds no secret of the step's at any moment: what it prints is masked on its way there."""

from __future__ import annotations

import codecs
import contextlib
import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

from envguard.host.secrets import masker, spellings_of

CHUNK = 1 << 16
MOST_HELD = 1 << 18
"""Characters that are kept back at most, as of a line without an end."""
PATIENCE_SECONDS = 5.0

_BREAKS = "\r\n \t|│"
"""What a terminal's width may have put into a secret."""
_WITHOUT_BREAKS = str.maketrans(dict.fromkeys(_BREAKS))


class Masking:
    """Text in pieces of any size, without the secrets of these variables, wherever the pieces were cut.

    Whole lines are given back at once; the end of what came is kept as long as it may be the beginning of a secret.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self._shown = masker(values)
        bare = {each.translate(_WITHOUT_BREAKS) for each in spellings_of(values)}
        self._secrets = [each for each in bare if each]
        # In which a secret that is not whole yet begins, breaks and all.
        self._window = 4096 + 4 * max(map(len, self._secrets), default=0)
        self._held = ""

    def masked(self, piece: str) -> str:
        """What may be shown of the text so far and was not yet."""
        self._held += piece
        if not ({"\n", "\r"} & set(piece)) and len(self._held) <= MOST_HELD:
            return ""
        cut = min(self._end_of_lines(), self._beginning_of_secret())
        if not cut:
            return ""
        before, rest = self._held[max(0, cut - self._window) : cut], self._held[cut:]
        across = rest and self._shown(before + rest) != self._shown(before) + self._shown(rest)
        if across and len(self._held) <= MOST_HELD:
            return ""
        shown, self._held = self._shown(self._held[:cut]), rest
        return shown

    def rest(self) -> str:
        """What was kept back, once nothing follows."""
        held, self._held = self._held, ""
        return self._shown(held)

    def _end_of_lines(self) -> int:
        end = max(self._held.rfind("\n"), self._held.rfind("\r")) + 1
        return end if len(self._held) - end <= MOST_HELD else len(self._held)

    def _beginning_of_secret(self) -> int:
        """Where the text ends in what may be the beginning of a secret; its length if nothing may."""
        start = max(0, len(self._held) - self._window)
        places = [place for place in range(start, len(self._held)) if self._held[place] not in _BREAKS]
        bare = "".join(self._held[place] for place in places)
        first = len(bare)
        for secret in self._secrets:
            at = bare.find(secret[0], max(0, len(bare) - len(secret) + 1))
            while 0 <= at < first:
                if secret.startswith(bare[at:]):
                    first = at
                at = bare.find(secret[0], at + 1)
        return places[first] if first < len(places) else len(self._held)


@contextlib.contextmanager
def masked_log(log: Path, values: Mapping[str, str]) -> Iterator[IO[bytes]]:
    """A file for a process to print to: what it prints is in the log, without the secrets among these variables."""
    with log.open("wb") as kept:
        if not values:
            yield kept
            return
        reader, writer = os.pipe()
        thread = threading.Thread(target=_carry, args=(reader, kept, Masking(values)), daemon=True)
        thread.start()
        try:
            with os.fdopen(writer, "wb") as printed:
                yield printed
        finally:
            # What outlives the step, if anything does, still prints to the pipe; nobody waits for that.
            thread.join(PATIENCE_SECONDS)


def _carry(reader: int, kept: IO[bytes], masking: Masking) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")

    def keep(text: str) -> None:
        kept.write(text.encode("utf-8", "surrogateescape"))
        kept.flush()

    with os.fdopen(reader, "rb", buffering=0) as said, contextlib.suppress(ValueError):  # the log is closed
        while piece := said.read(CHUNK):
            keep(masking.masked(decoder.decode(piece)))
        keep(masking.masked(decoder.decode(b"", final=True)) + masking.rest())
