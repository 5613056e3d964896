"""The documents that `--json` prints of the model tasks; each is made from the record of its run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, Optional, Union

from .codec import written_as
from .comparing import ComparedModel, CompareFindings
from .describing import InspectedModel, InspectFindings, Member
from .gates import Gate, StepFailure
from .quantizing import ConvertedModel, ConvertFindings, OperatorTypes, QuantizedModel, QuantizeFindings
from .recipes import RecipeDocument
from .roads import CPU, RoadReport, RoadRun, road_reports
from .runs import NO, YES, EnvironmentRecord, FileRecord, Run
from .timing import Processor
from .tuning import FrameTimes, OptionTrial, Setting, TunedOn, TuneFindings
from .verified import OTHER, VerifyFindings, WebFindings

NOT_COMPARED = "not compared"


@dataclass(frozen=True)
class StepSeconds:
    """How long a step took; one that was `reused` took it at that date, and was not run again."""

    name: str
    seconds: float
    reused: str = ""


@dataclass(frozen=True)
class CallShare:
    """Milliseconds of a whole call, of the models in it, and of the rest, which is the runtime's own."""

    call_ms: float
    models_ms: float
    rest_ms: float


@dataclass(frozen=True)
class OutsideModels:
    """What of a call the models are not, before and after."""

    original: CallShare
    quantized: CallShare


@dataclass(frozen=True)
class ModelReport(ComparedModel, QuantizedModel):
    """One model of a quantized file: what was done to it, and what came of it."""


@dataclass(frozen=True)
class ConvertedReport(ComparedModel, ConvertedModel):
    """A converted model beside its float conversion."""


@dataclass(frozen=True)
class RefusedRecipe:
    """What was made before and not taken: the size of the file in bytes, its `recipe`, and the gates that refused it.

    `candidates` tells of the models that were made otherwise after that, by name, by which recipe they had been made.
    """

    bytes: int
    candidates: Mapping[str, str]
    recipe: RecipeDocument
    gates: tuple[Gate, ...]


@dataclass(frozen=True)
class QuantizeDocument:
    """What quantizing a file came to.

    `ratio` is the output's bytes to the input's; `recipe` repeats what was done without a search, to the same bytes on
    the same `cpu`; `outside_models` tells what of a whole call the models are not. `refused` is what was tried before
    and refused by gates, in order. `roads` has what is known of the copy on each road.
    """

    task: str
    verdict: str
    failures: tuple[StepFailure, ...]
    gates: tuple[Gate, ...]
    input: FileRecord
    output: Optional[FileRecord]
    ratio: Optional[float]
    dropped: tuple[str, ...]
    recipe: Optional[RecipeDocument]
    cpu: Optional[Processor]
    models: tuple[ModelReport, ...]
    verify: Optional[VerifyFindings]
    outside_models: Optional[OutsideModels]
    processors: Optional[int]
    environments: tuple[EnvironmentRecord, ...]
    steps: tuple[StepSeconds, ...]
    allow_unverified: bool = False
    refused: tuple[RefusedRecipe, ...] = ()
    roads: tuple[RoadReport, ...] = ()
    schema: Literal[2] = 2

    @property
    def on_arm(self) -> str:
        """Which layers ARM processors have instructions for, and that none was there, unless one was; in sentences."""
        here = self.cpu is not None and self.cpu.architecture in ("aarch64", "arm64")
        counts = self.recipe.in_int8 if self.recipe else {}
        layers = ", ".join(f"{count} of {name}" for name, count in counts.items())
        told = f"Layers that multiply int8 by int8, for which ARM processors have instructions: {layers or 'none'}."
        return told if here else f"Nothing was timed on an ARM processor. {told}"


@dataclass(frozen=True)
class FailedRun:
    """One of several models that could not be run to a verdict; the rest says what an error's own document says."""

    task: str
    input: Mapping[str, str]
    error: str
    why: str
    next: str
    exit_code: int
    verdict: Literal["failed"] = "failed"
    schema: Literal[2] = 2


@dataclass(frozen=True)
class SeveralDocument:
    """What quantizing several files came to; `yes` where every one's verdict is."""

    task: str
    verdict: str
    runs: tuple[Union[FailedRun, QuantizeDocument], ...]
    schema: Literal[2] = 2


@dataclass(frozen=True)
class FloatConversion:
    """The float conversion of the same model by the same converter: size in bytes, and SHA-256."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class ConvertDocument:
    """What converting a model came to; all comparisons are to its `float` conversion."""

    task: str
    verdict: str
    failures: tuple[StepFailure, ...]
    gates: tuple[Gate, ...]
    input: FileRecord
    output: Optional[FileRecord]
    ratio: float
    kind: str
    rows: int
    operators: OperatorTypes
    signature: str
    tensorflow: str
    models: tuple[ConvertedReport, ...]
    processors: Optional[int]
    environments: tuple[EnvironmentRecord, ...]
    steps: tuple[StepSeconds, ...]
    float_conversion: FloatConversion = field(metadata=written_as("float"))
    allow_unverified: bool = False
    schema: Literal[2] = 2


@dataclass(frozen=True)
class InspectDocument:
    """What a model file holds and what quantizing it would meet; `kind` is `bundle` or `model`."""

    file: str
    kind: str
    bytes: int
    members: tuple[Member, ...]
    models: tuple[InspectedModel, ...]
    schema: Literal[2] = 2


@dataclass(frozen=True)
class TuneDocument:
    """What each runtime option is worth and costs; `code` has the lines that set what is advised, by language."""

    task: str
    input: FileRecord
    output: Optional[FileRecord]
    kind: str
    mediapipe: str
    defaults: Mapping[str, Setting]
    control: FrameTimes
    trials: tuple[OptionTrial, ...]
    advice: Mapping[str, Setting]
    together: Optional[OptionTrial]
    thread_options: tuple[str, ...]
    cpu: Processor
    processors: int
    sample_size: TunedOn
    code: Mapping[str, tuple[str, ...]]
    environments: tuple[EnvironmentRecord, ...]
    schema: Literal[2] = 2


def quantize_document(run: Run) -> QuantizeDocument:
    """The document of a run of the task that quantizes."""
    quantized, compared, verify = run.found(QuantizeFindings), run.found(CompareFindings), run.found(VerifyFindings)
    models = _reports(quantized, compared)
    return QuantizeDocument(
        task=run.task,
        verdict=run.verdict,
        failures=run.failures,
        gates=run.gates,
        input=next(iter(run.inputs.values())),
        output=next(iter(run.outputs.values()), None),
        ratio=quantized.ratio if quantized else None,
        dropped=quantized.dropped if quantized else (),
        recipe=quantized.recipe if quantized else None,
        cpu=quantized.cpu if quantized else None,
        models=models,
        verify=verify,
        outside_models=_outside(models, verify),
        refused=_refused(run, quantized),
        roads=road_reports(road_runs(run), [model.roads for model in models]),
        processors=compared.processors if compared else None,
        environments=run.environments,
        steps=seconds_of(run),
        allow_unverified=run.allow_unverified,
    )


def road_runs(run: Run) -> tuple[RoadRun, ...]:
    """What every road made of both; of a file that no task takes, the step `compare` ran the models on the CPU."""
    verify, web, compared = run.found(VerifyFindings), run.found(WebFindings), run.found(CompareFindings)
    runs = (*(verify.roads if verify else ()), *(web.roads if web else ()))
    models = compared.models if compared else ()
    if verify is None or verify.kind != OTHER or not models or not all(model.ran for model in models):
        return runs
    outputs = tuple(output for model in models for output in model.outputs)
    return (RoadRun(CPU, True, "LiteRT with XNNPACK", original_taken=True, copy_taken=True, outputs=outputs), *runs)


def convert_document(run: Run) -> ConvertDocument:
    """The document of a run of the task that converts; raises ValueError where nothing was converted."""
    made, compared = run.found(ConvertFindings), run.found(CompareFindings)
    if made is None:
        raise ValueError("the run has no conversion")
    (model,) = made.models
    known = compared.models[0] if compared and compared.models else _not_compared(model.name)
    return ConvertDocument(
        task=run.task,
        verdict=run.verdict,
        failures=run.failures,
        gates=run.gates,
        input=next(iter(run.inputs.values())),
        output=next(iter(run.outputs.values()), None),
        float_conversion=FloatConversion(made.bytes_in, made.sha256_in),
        ratio=made.ratio,
        kind=made.kind,
        rows=made.rows,
        operators=made.operators,
        signature=made.signature,
        tensorflow=made.tensorflow,
        models=(ConvertedReport(**{**_shallow(known), **_shallow(model)}),),
        processors=compared.processors if compared else None,
        environments=run.environments,
        steps=seconds_of(run),
        allow_unverified=run.allow_unverified,
    )


def inspect_document(found: InspectFindings) -> InspectDocument:
    """The document of an inspection."""
    return InspectDocument(**{name: value for name, value in _shallow(found).items() if name != "step"})


def tune_document(run: Run, code: Mapping[str, tuple[str, ...]]) -> TuneDocument:
    """The document of a run of the task that tunes; raises ValueError where nothing was tuned."""
    found = run.found(TuneFindings)
    if found is None:
        raise ValueError("the run has tuned nothing")
    return TuneDocument(
        task=run.task,
        input=next(iter(run.inputs.values())),
        output=next(iter(run.outputs.values()), None),
        code=code,
        environments=run.environments,
        **{name: value for name, value in _shallow(found).items() if name != "step"},
    )


def several_document(task: str, runs: tuple[Union[FailedRun, QuantizeDocument], ...]) -> SeveralDocument:
    """The document of several runs of the task that quantizes."""
    return SeveralDocument(task, YES if all(run.verdict == YES for run in runs) else NO, runs)


def _reports(quantized: Optional[QuantizeFindings], compared: Optional[CompareFindings]) -> tuple[ModelReport, ...]:
    by_name = {model.name: model for model in compared.models} if compared else {}
    return tuple(
        ModelReport(**{**_shallow(by_name.get(model.name, _not_compared(model.name))), **_shallow(model)})
        for model in (quantized.models if quantized else ())
    )


def _refused(run: Run, last: Optional[QuantizeFindings]) -> tuple[RefusedRecipe, ...]:
    attempts = [(each.findings, each.gates) for each in run.refused if isinstance(each.findings, QuantizeFindings)]
    after = [*(found for found, _ in attempts[1:]), last]
    refused = []
    for (found, gates), following in zip(attempts, after):  # noqa: B905 - Python 3.9
        now = {} if following is None else following.recipe.models
        changed = [each for each in found.models if found.recipe.models.get(each.name) != now.get(each.name)]
        words = {model.name: model.made_by for model in changed or found.models}
        refused.append(RefusedRecipe(found.bytes_out, words, found.recipe, gates))
    return tuple(refused)


def _not_compared(name: str) -> ComparedModel:
    return ComparedModel(name, reason=NOT_COMPARED)


def _shallow(value: Any) -> dict[str, Any]:
    """The fields of a dataclass by name, their values as they are."""
    return {each.name: getattr(value, each.name) for each in fields(value)}


def _outside(models: tuple[ModelReport, ...], verify: Optional[VerifyFindings]) -> Optional[OutsideModels]:
    """The rest of a call, as far as every model was timed and the two measurements do not contradict each other."""
    call = verify.latency if verify else None
    timed = [model.latency for model in models]
    known = [each for each in timed if each is not None]
    if call is None or not known or len(known) < len(timed):
        return None
    before, after = sum(each.original_ms for each in known), sum(each.quantized_ms for each in known)
    shares = OutsideModels(
        CallShare(call.original_ms, before, call.original_ms - before),
        CallShare(call.quantized_ms, after, call.quantized_ms - after),
    )
    return shares if shares.original.rest_ms > 0 and shares.quantized.rest_ms > 0 else None


def seconds_of(run: Run) -> tuple[StepSeconds, ...]:
    """How long each step took."""
    return tuple(StepSeconds(step.name, round(step.seconds, 3), step.reused) for step in run.steps)
