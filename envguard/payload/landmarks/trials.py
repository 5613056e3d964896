"""Which runtime options are tried, what each is worth and costs, and which of them are worth setting."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..measuring.benchmark import Comparison
from .detections import Detection, match
from .kinds import Kind
from .runtime import IMAGE, LIVE_STREAM, MODE, VIDEO, Settings
from .verification import counted

BLENDSHAPES = "output_face_blendshapes"
TRACKING = "min_tracking_confidence"
CONFIDENCES = (0.3, 0.7)
MORE = (2, 4)
"""Of faces, hands, bodies; MediaPipe looks for one unless told."""

TOLERATED = 0.01
"""Part of what is found that a setting may lose and still be advised."""


@dataclass(frozen=True)
class Trial:
    """One option set to `value`, against its default; both under the same other settings."""

    option: str
    value: Any
    others: Mapping[str, Any]

    @property
    def settings(self) -> Settings:
        """All that is set where the option is tried."""
        return {**self.others, self.option: self.value}


@dataclass(frozen=True)
class Found:
    """How much is found with the default and with the setting; `lost` only with the former, `extra` with the latter.

    Where a picture shows more than are looked for, one that is lost and one that is extra may come to the same number.
    `fewer` is by how much the numbers of frames fall.
    """

    frames: int
    before: int
    after: int
    lost: int
    extra: int
    fewer: int

    @classmethod
    def of(cls, before: Sequence[Sequence[Detection]], after: Sequence[Sequence[Detection]]) -> Found:
        """Match two readings of the same frames, frame by frame."""
        matchings = list(map(match, before, after))
        return cls(
            frames=len(before),
            before=sum(map(len, before)),
            after=sum(map(len, after)),
            lost=sum(matching.lost for matching in matchings),
            extra=sum(matching.extra for matching in matchings),
            fewer=sum(max(0, matching.lost - matching.extra) for matching in matchings),
        )

    @property
    def loses(self) -> bool:
        """Whether more is missing than is tolerated."""
        return self.fewer > TOLERATED * self.before


@dataclass(frozen=True)
class Outcome:
    """What a trial came to; `noise` is how far from 1 the same settings against themselves may seem to be."""

    trial: Trial
    time: Comparison
    found: Found
    noise: float

    @property
    def verdict(self) -> str:
        """`faster`, `slower`, `same` where noise is larger than the difference, `unclear` where all is noise."""
        differs = self.time.differs and abs(self.time.middle_ratio - 1.0) > self.noise
        if not differs:
            return "same" if self.time.is_narrow and not self.time.too_busy else "unclear"
        return "faster" if self.time.middle_ratio < 1.0 else "slower"

    def as_json(self, frames: int) -> dict[str, Any]:
        """The same as plain JSON; for `frames` see `time_json`."""
        return {
            "option": self.trial.option,
            "value": self.trial.value,
            "others": dict(self.trial.others),
            "verdict": self.verdict,
            "time": time_json(self.time, frames),
            "found": asdict(self.found),
        }


def time_json(time: Comparison, frames: int) -> dict[str, Any]:
    """A comparison of calls on so many frames as plain JSON, in milliseconds per frame; spreads are interquartile."""
    return {
        "before_ms": time.original_ms / frames,
        "after_ms": time.quantized_ms / frames,
        "before_iqr_ms": time.original_spread_ms / frames,
        "after_iqr_ms": time.quantized_spread_ms / frames,
        "ratio": time.ratio,
        "low": time.low,
        "high": time.high,
        "rounds": time.rounds,
        "interrupted": time.interrupted,
    }


def defaults(kind: Kind, *, blendshapes: bool) -> dict[str, Any]:
    """Every option that is tried, with MediaPipe's own default."""
    known = {
        MODE: IMAGE,
        f"num_{counted(kind)}": 1,
        f"min_{kind.value}_detection_confidence": 0.5,
        f"min_{kind.value}_presence_confidence": 0.5,
        TRACKING: 0.5,
    }
    return {**known, BLENDSHAPES: False} if blendshapes else known


def trials(kind: Kind, known: Settings) -> list[Trial]:
    """What is tried on a bundle of that kind with the options that it knows.

    The number and the tracking confidence are tried in VIDEO mode too: there the detector runs only while fewer are
    followed than are asked for, and the tracking confidence has no say elsewhere.
    """
    number, followed = f"num_{counted(kind)}", {MODE: VIDEO}
    confidences = [f"min_{kind.value}_{what}_confidence" for what in ("detection", "presence")]
    return [
        *(Trial(MODE, mode, {}) for mode in (VIDEO, LIVE_STREAM)),
        *([Trial(BLENDSHAPES, True, {})] if BLENDSHAPES in known else []),
        *(Trial(number, value, {}) for value in MORE),
        *(Trial(number, value, followed) for value in MORE[:1]),
        *(Trial(option, value, {}) for option in confidences for value in CONFIDENCES),
        *(Trial(TRACKING, value, followed) for value in CONFIDENCES),
    ]


def advice(outcomes: Iterable[Outcome], known: Settings) -> dict[str, Any]:
    """The settings that gain, by option: the fastest that loses nothing to speak of, and defaults that others are
    slower than. Options that make no difference are left out.

    Once the advised mode is VIDEO, what was tried in that mode counts for the other options.
    """
    every = list(outcomes)
    mode = _best([each for each in every if each.trial.option == MODE], known[MODE])
    chosen = {} if mode is None else {MODE: mode}
    for option, default in known.items():
        if option == MODE:
            continue
        tried = [each for each in every if each.trial.option == option]
        in_mode = [each for each in tried if each.trial.others.get(MODE, IMAGE) == chosen.get(MODE, IMAGE)]
        best = _best(in_mode or [each for each in tried if not each.trial.others], default)
        if best is not None:
            chosen[option] = best
    return chosen


def _best(tried: Sequence[Outcome], default: Any) -> Any:
    """The value to set, or None where it makes no difference; of two that cannot be told apart the first."""
    best: Outcome | None = None
    for each in tried:
        gains = each.verdict == "faster" and not each.found.loses
        if gains and (best is None or each.time.high < best.time.low):
            best = each
    if best is not None:
        return best.trial.value
    return default if any(each.verdict == "slower" for each in tried) else None
