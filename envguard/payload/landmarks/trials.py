"""Which runtime options are tried, what each is worth and costs, and which of them are worth setting."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..contract import FoundCounts, FrameTimes, OptionTrial, Setting
from ..files.bundle import Bundle
from ..measuring.benchmark import PairedTimes
from .detections import Detection, match
from .kind import LandmarkKind
from .runtime import IMAGE, LIVE_STREAM, MODE, VIDEO, Settings

TRACKING = "min_tracking_confidence"
CONFIDENCES = (0.3, 0.7)
MORE = (2, 4)
"""Of faces, hands, bodies; MediaPipe looks for one unless told."""

TOLERATED = 0.01
"""Part of what is found that a setting may lose and still be advised."""


@dataclass(frozen=True)
class SettingToTry:
    """One option to be set to `value`, against its default; both under the same other settings."""

    option: str
    value: Setting
    others: Settings

    @property
    def settings(self) -> Settings:
        """All that is set where the option is tried."""
        return {**self.others, self.option: self.value}


def found_counts(before: Sequence[Sequence[Detection]], after: Sequence[Sequence[Detection]]) -> FoundCounts:
    """Match two readings of the same frames, frame by frame.

    Where a picture shows more than are looked for, one that is lost and one that is extra may come to the same number.
    """
    matchings = list(map(match, before, after))
    return FoundCounts(
        frames=len(before),
        before=sum(map(len, before)),
        after=sum(map(len, after)),
        lost=sum(matching.lost for matching in matchings),
        extra=sum(matching.extra for matching in matchings),
        fewer=sum(max(0, matching.lost - matching.extra) for matching in matchings),
    )


def loses(found: FoundCounts) -> bool:
    """Whether more is missing than is tolerated."""
    return found.fewer > TOLERATED * found.before


def frame_times(time: PairedTimes, frames: int) -> FrameTimes:
    """A comparison of calls on so many frames, per frame."""
    return FrameTimes(
        before_ms=time.original_ms / frames,
        after_ms=time.quantized_ms / frames,
        before_iqr_ms=time.original_spread_ms / frames,
        after_iqr_ms=time.quantized_spread_ms / frames,
        ratio=time.ratio,
        low=time.low,
        high=time.high,
        rounds=time.rounds,
        interrupted=time.interrupted,
    )


def verdict(time: PairedTimes, noise: float) -> str:
    """`faster`, `slower`, `same` where noise is larger than the difference, `unclear` where all is noise.

    `noise` is how far from 1 the same settings against themselves may seem to be.
    """
    differs = time.differs and abs(time.middle_ratio - 1.0) > noise
    if not differs:
        return "same" if time.is_narrow and not time.too_busy else "unclear"
    return "faster" if time.middle_ratio < 1.0 else "slower"


def trial(tried: SettingToTry, time: PairedTimes, found: FoundCounts, noise: float, frames: int) -> OptionTrial:
    """What trying a setting came to; for `noise` see `verdict`, for `frames` see `frame_times`."""
    return OptionTrial(
        option=tried.option,
        value=tried.value,
        others=tried.others,
        verdict=verdict(time, noise),
        time=frame_times(time, frames),
        found=found,
    )


def defaults(kind: LandmarkKind, bundle: Bundle) -> dict[str, Setting]:
    """Every option that is tried on the bundle, with MediaPipe's own default."""
    return {
        MODE: IMAGE,
        kind.task.number: 1,
        **dict.fromkeys(kind.task.confidences, 0.5),
        TRACKING: 0.5,
        **dict.fromkeys(kind.switches(bundle), False),
    }


def settings_to_try(kind: LandmarkKind, bundle: Bundle) -> list[SettingToTry]:
    """What is tried on a bundle of that kind.

    The number and the tracking confidence are tried in VIDEO mode too: there the detector runs only while fewer are
    followed than are asked for, and the tracking confidence has no say elsewhere.
    """
    number, followed = kind.task.number, {MODE: VIDEO}
    return [
        *(SettingToTry(MODE, mode, {}) for mode in (VIDEO, LIVE_STREAM)),
        *(SettingToTry(option, True, {}) for option in kind.switches(bundle)),
        *(SettingToTry(number, value, {}) for value in MORE),
        *(SettingToTry(number, value, followed) for value in MORE[:1]),
        *(SettingToTry(option, value, {}) for option in kind.task.confidences for value in CONFIDENCES),
        *(SettingToTry(TRACKING, value, followed) for value in CONFIDENCES),
    ]


def advice(trials: Iterable[OptionTrial], known: Settings) -> dict[str, Setting]:
    """The settings that gain, by option: the fastest that loses nothing to speak of, and defaults that others are
    slower than. Options that make no difference are left out.

    Once the advised mode is VIDEO, what was tried in that mode counts for the other options.
    """
    every = list(trials)
    mode = _best([each for each in every if each.option == MODE], known[MODE])
    chosen: dict[str, Setting] = {} if mode is None else {MODE: mode}
    for option, default in known.items():
        if option == MODE:
            continue
        tried = [each for each in every if each.option == option]
        in_mode = [each for each in tried if each.others.get(MODE, IMAGE) == chosen.get(MODE, IMAGE)]
        best = _best(in_mode or [each for each in tried if not each.others], default)
        if best is not None:
            chosen[option] = best
    return chosen


def gains(advised: Settings, known: Settings) -> Mapping[str, Setting]:
    """The advised settings that are not MediaPipe's defaults."""
    return {name: value for name, value in advised.items() if value != known[name]}


def _best(tried: Sequence[OptionTrial], default: Setting) -> Setting | None:
    """The value to set, or None where it makes no difference; of two that cannot be told apart the first."""
    best: OptionTrial | None = None
    for each in tried:
        gained = each.verdict == "faster" and not loses(each.found)
        if gained and (best is None or each.time.high < best.time.low):
            best = each
    if best is not None:
        return best.value
    return default if any(each.verdict == "slower" for each in tried) else None
