"""Runtime options as lines to paste: MediaPipe Tasks in Java, Kotlin, Swift, Python and JavaScript."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from envguard.payload.contract import Setting

Settings = Mapping[str, Setting]
Lines = list[str]

MODE = "running_mode"
IMAGE, VIDEO, LIVE_STREAM = "IMAGE", "VIDEO", "LIVE_STREAM"
GPU_OF_WEB = '"GPU"'


def code(kind: str, settings: Settings) -> dict[str, tuple[str, ...]]:
    """Lines by language that make a landmarker's options, and call it in the mode that is set.

    `kind` is face, hand, pose or gesture; the settings have the names of MediaPipe's Python API. What stands for the
    user's own (`modelPath`, `image`, `onResult`, ...) is named as in MediaPipe's guides. The delegate is the one that
    was measured with; beside it stands what the GPU's is called.
    """
    return {language: tuple(write(_api_of(kind), settings)) for language, write in _LANGUAGES.items()}


def _or(gpu: str) -> str:
    """The comment that names the other delegate."""
    return f"or {gpu}, if it takes the file"


@dataclass(frozen=True)
class Api:
    """A task of MediaPipe: the name of its class, what the variable is called, what its methods' names begin with."""

    name: str
    variable: str = "landmarker"
    verb: str = "detect"


def _api_of(kind: str) -> Api:
    if kind == "gesture":
        return Api("GestureRecognizer", "recognizer", "recognize")
    return Api(f"{kind.capitalize()}Landmarker")


def _java(api: Api, settings: Settings) -> Lines:
    options = f"{api.name}Options"
    base = _base("BaseOptions baseOptions", end=";")
    return [*base, *_builder(api, f"{options} options = {options}.builder()", "this::onResult", settings, end=";")]


def _kotlin(api: Api, settings: Settings) -> Lines:
    start = f"val options = {api.name}Options.builder()"
    return [*_base("val baseOptions", end=""), *_builder(api, start, "{ result, image -> }", settings, end="")]


def _base(start: str, *, end: str) -> Lines:
    return [
        f"{start} = BaseOptions.builder()",
        "    .setModelAssetPath(modelPath)",
        f"    .setDelegate(Delegate.CPU) // {_or('Delegate.GPU')}",
        f"    .build(){end}",
    ]


def _builder(api: Api, start: str, listener: str, settings: Settings, *, end: str) -> Lines:
    calls = [f"    .set{_camel(name, first=True)}({_jvm_value(name, value)})" for name, value in settings.items()]
    if settings.get(MODE) == LIVE_STREAM:
        calls.append(f"    .setResultListener({listener})" if end else f"    .setResultListener {listener}")
    run = {VIDEO: f"{api.verb}ForVideo(image, timestampMs)", LIVE_STREAM: f"{api.verb}Async(image, timestampMs)"}
    return [start, "    .setBaseOptions(baseOptions)", *calls, f"    .build(){end}", *_call(api, settings, run, end)]


def _swift(api: Api, settings: Settings) -> Lines:
    modes = {IMAGE: ".image", VIDEO: ".video", LIVE_STREAM: ".liveStream"}
    lines = [
        f"let options = {api.name}Options()",
        "options.baseOptions.modelAssetPath = modelPath",
        f"options.baseOptions.delegate = .CPU // {_or('.GPU')}",
    ]
    for name, value in settings.items():
        lines.append(f"options.{_camel(name)} = {modes[str(value)] if name == MODE else _lower(value)}")
    if settings.get(MODE) == LIVE_STREAM:
        lines.append(f"options.{api.name[0].lower()}{api.name[1:]}LiveStreamDelegate = self")
    run = {
        VIDEO: f"{api.verb}(videoFrame: image, timestampInMilliseconds: timestampMs)",
        LIVE_STREAM: f"{api.verb}Async(image: image, timestampInMilliseconds: timestampMs)",
    }
    return [*lines, *(f"try {line}" for line in _call(api, settings, run, ""))]


def _python(api: Api, settings: Settings) -> Lines:
    lines = [
        "base_options = BaseOptions(",
        "    model_asset_path=model_path,",
        f"    # {_or('BaseOptions.Delegate.GPU')}",
        "    delegate=BaseOptions.Delegate.CPU,",
        ")",
        f"options = vision.{api.name}Options(",
        "    base_options=base_options,",
    ]
    for name, value in settings.items():
        lines.append(f"    {name}={f'vision.RunningMode.{value}' if name == MODE else repr(value)},")
    if settings.get(MODE) == LIVE_STREAM:
        lines.append("    result_callback=on_result,")
    run = {VIDEO: f"{api.verb}_for_video(image, timestamp_ms)", LIVE_STREAM: f"{api.verb}_async(image, timestamp_ms)"}
    return [*lines, ")", *_call(api, settings, run, "")]


def _javascript(api: Api, settings: Settings) -> Lines:
    """The web has two modes only: its VIDEO is what the others call VIDEO and LIVE_STREAM."""
    lines = [
        f"const {api.variable} = await {api.name}.createFromOptions(vision, {{",
        "  baseOptions: {",
        "    modelAssetPath,",
        f'    delegate: "CPU", // {_or(GPU_OF_WEB)}',
        "  },",
    ]
    for name, value in settings.items():
        written = f'"{IMAGE if value == IMAGE else VIDEO}"' if name == MODE else _lower(value)
        lines.append(f"  {_camel(name)}: {written},")
    run = dict.fromkeys((VIDEO, LIVE_STREAM), f"{api.verb}ForVideo(image, timestampMs)")
    return [*lines, "});", *_call(api, settings, run, ";")]


def _call(api: Api, settings: Settings, run: Mapping[str, str], end: str) -> Lines:
    """The call of the mode; everybody has that of IMAGE already."""
    called = run.get(str(settings.get(MODE, IMAGE)))
    return [] if called is None else [f"{api.variable}.{called}{end}"]


def _camel(name: str, *, first: bool = False) -> str:
    start, *rest = name.split("_")
    return (start.capitalize() if first else start) + "".join(part.capitalize() for part in rest)


def _jvm_value(name: str, value: Setting) -> str:
    if name == MODE:
        return f"RunningMode.{value}"
    return f"{value}f" if isinstance(value, float) else _lower(value)


def _lower(value: Setting) -> str:
    return str(value).lower()


_LANGUAGES: Mapping[str, Callable[[Api, Settings], Lines]] = {
    "Java": _java,
    "Kotlin": _kotlin,
    "Swift": _swift,
    "Python": _python,
    "JavaScript": _javascript,
}
