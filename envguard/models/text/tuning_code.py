"""Runtime options as lines to paste: MediaPipe Tasks in Java, Kotlin, Swift, Python and JavaScript."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from envguard.payload.contract import Setting

Settings = Mapping[str, Setting]
Lines = list[str]

MODE = "running_mode"
IMAGE, VIDEO, LIVE_STREAM = "IMAGE", "VIDEO", "LIVE_STREAM"


def code(kind: str, settings: Settings) -> dict[str, tuple[str, ...]]:
    """Lines by language that make a landmarker's options, and call it in the mode that is set.

    `kind` is face, hand or pose; the settings have the names of MediaPipe's Python API. What stands for the user's own
    (`baseOptions`, `image`, `onResult`, ...) is named as in MediaPipe's guides.
    """
    return {language: tuple(write(kind, settings)) for language, write in _LANGUAGES.items()}


def _java(kind: str, settings: Settings) -> Lines:
    options = f"{kind.capitalize()}LandmarkerOptions"
    return _builder(f"{options} options = {options}.builder()", "this::onResult", settings, end=";")


def _kotlin(kind: str, settings: Settings) -> Lines:
    return _builder(
        f"val options = {kind.capitalize()}LandmarkerOptions.builder()", "{ result, image -> }", settings, end=""
    )


def _builder(start: str, listener: str, settings: Settings, *, end: str) -> Lines:
    calls = [f"    .set{_camel(name, first=True)}({_jvm_value(name, value)})" for name, value in settings.items()]
    if settings.get(MODE) == LIVE_STREAM:
        calls.append(f"    .setResultListener({listener})" if end else f"    .setResultListener {listener}")
    run = {VIDEO: "detectForVideo(image, timestampMs)", LIVE_STREAM: "detectAsync(image, timestampMs)"}
    return [start, "    .setBaseOptions(baseOptions)", *calls, f"    .build(){end}", *_call(settings, run, end)]


def _swift(kind: str, settings: Settings) -> Lines:
    modes = {IMAGE: ".image", VIDEO: ".video", LIVE_STREAM: ".liveStream"}
    lines = [f"let options = {kind.capitalize()}LandmarkerOptions()", "options.baseOptions.modelAssetPath = modelPath"]
    for name, value in settings.items():
        lines.append(f"options.{_camel(name)} = {modes[str(value)] if name == MODE else _lower(value)}")
    if settings.get(MODE) == LIVE_STREAM:
        lines.append(f"options.{kind}LandmarkerLiveStreamDelegate = self")
    run = {
        VIDEO: "detect(videoFrame: image, timestampInMilliseconds: timestampMs)",
        LIVE_STREAM: "detectAsync(image: image, timestampInMilliseconds: timestampMs)",
    }
    return [*lines, *(f"try {line}" for line in _call(settings, run, ""))]


def _python(kind: str, settings: Settings) -> Lines:
    lines = [f"options = vision.{kind.capitalize()}LandmarkerOptions(", "    base_options=base_options,"]
    for name, value in settings.items():
        lines.append(f"    {name}={f'vision.RunningMode.{value}' if name == MODE else repr(value)},")
    if settings.get(MODE) == LIVE_STREAM:
        lines.append("    result_callback=on_result,")
    run = {VIDEO: "detect_for_video(image, timestamp_ms)", LIVE_STREAM: "detect_async(image, timestamp_ms)"}
    return [*lines, ")", *_call(settings, run, "")]


def _javascript(kind: str, settings: Settings) -> Lines:
    """The web has two modes only: its VIDEO is what the others call VIDEO and LIVE_STREAM."""
    lines = [
        f"const landmarker = await {kind.capitalize()}Landmarker.createFromOptions(vision, {{",
        "  baseOptions: { modelAssetPath },",
    ]
    for name, value in settings.items():
        written = f'"{IMAGE if value == IMAGE else VIDEO}"' if name == MODE else _lower(value)
        lines.append(f"  {_camel(name)}: {written},")
    run = dict.fromkeys((VIDEO, LIVE_STREAM), "detectForVideo(image, timestampMs)")
    return [*lines, "});", *_call(settings, run, ";")]


def _call(settings: Settings, run: Mapping[str, str], end: str) -> Lines:
    """The call of the mode; everybody has that of IMAGE already."""
    called = run.get(str(settings.get(MODE, IMAGE)))
    return [] if called is None else [f"landmarker.{called}{end}"]


def _camel(name: str, *, first: bool = False) -> str:
    start, *rest = name.split("_")
    return (start.capitalize() if first else start) + "".join(part.capitalize() for part in rest)


def _jvm_value(name: str, value: Setting) -> str:
    if name == MODE:
        return f"RunningMode.{value}"
    return f"{value}f" if isinstance(value, float) else _lower(value)


def _lower(value: Setting) -> str:
    return str(value).lower()


_LANGUAGES: Mapping[str, Callable[[str, Settings], Lines]] = {
    "Java": _java,
    "Kotlin": _kotlin,
    "Swift": _swift,
    "Python": _python,
    "JavaScript": _javascript,
}
