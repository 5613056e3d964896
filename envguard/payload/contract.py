"""The door: every typed value that crosses between the house and its payload, and their reading and writing.

The one payload module that the host imports. Its parts lie in `door/`, by subject; all of it is standard library and
runs on Python 3.9.
"""

from __future__ import annotations

from .door.checking import CheckFindings
from .door.codec import Json, Unreadable, from_json, hints_of, key_of, keys_of, tag_of, to_json, written_as
from .door.comparing import ComparedModel, CompareFindings, LayerError, OutputDifference
from .door.describing import (
    AppliedPass,
    CalibrateFindings,
    InspectedModel,
    InspectFindings,
    IntegerTensors,
    Member,
    Obstacle,
    Port,
    Signature,
)
from .door.documents import (
    CallShare,
    ConvertDocument,
    ConvertedReport,
    FailedRun,
    FloatConversion,
    ModelReport,
    OutsideModels,
    QuantizeDocument,
    SeveralDocument,
    StepSeconds,
    convert_document,
    quantize_document,
)
from .door.gates import Gate, StepFailure
from .door.quantizing import (
    ConvertedModel,
    ConvertFindings,
    OperatorTypes,
    PageFindings,
    QuantizedModel,
    QuantizeFindings,
    RecipeTrial,
)
from .door.recipes import ModelRecipe, RecipeDocument, RecipeSummary
from .door.references import Reference
from .door.requests import PROTOCOL, Findings, Note, Progress, Refusal, Request, StepEvent, StepFindings
from .door.runs import NO, YES, EnvironmentRecord, FailedCandidate, FileRecord, ProofRecord, Run, StepRecord
from .door.timing import KindTime, OperatorTimes, Processor, Profile, SlowOperator, TimeBetween, Timing
from .door.tuning import FoundCounts, FrameTimes, OptionTrial, Setting, TunedOn, TuneFindings
from .door.verifying import CallTimes, Counts, LandmarkShift, Measures, SampleSize, ScoreShift, Spread, VerifyFindings

__all__ = [
    "NO",
    "PROTOCOL",
    "YES",
    "AppliedPass",
    "CalibrateFindings",
    "CallShare",
    "CallTimes",
    "CheckFindings",
    "CompareFindings",
    "ComparedModel",
    "ConvertDocument",
    "ConvertFindings",
    "ConvertedModel",
    "ConvertedReport",
    "Counts",
    "EnvironmentRecord",
    "FailedCandidate",
    "FailedRun",
    "FileRecord",
    "Findings",
    "FloatConversion",
    "FoundCounts",
    "FrameTimes",
    "Gate",
    "InspectFindings",
    "InspectedModel",
    "IntegerTensors",
    "Json",
    "KindTime",
    "LandmarkShift",
    "LayerError",
    "Measures",
    "Member",
    "ModelRecipe",
    "ModelReport",
    "Note",
    "Obstacle",
    "OperatorTimes",
    "OperatorTypes",
    "OptionTrial",
    "OutputDifference",
    "OutsideModels",
    "PageFindings",
    "Port",
    "Processor",
    "Profile",
    "Progress",
    "ProofRecord",
    "QuantizeDocument",
    "QuantizeFindings",
    "QuantizedModel",
    "RecipeDocument",
    "RecipeSummary",
    "RecipeTrial",
    "Reference",
    "Refusal",
    "Request",
    "Run",
    "SampleSize",
    "ScoreShift",
    "Setting",
    "SeveralDocument",
    "Signature",
    "SlowOperator",
    "Spread",
    "StepEvent",
    "StepFailure",
    "StepFindings",
    "StepRecord",
    "StepSeconds",
    "TimeBetween",
    "Timing",
    "TuneFindings",
    "TunedOn",
    "Unreadable",
    "VerifyFindings",
    "convert_document",
    "from_json",
    "hints_of",
    "key_of",
    "keys_of",
    "quantize_document",
    "tag_of",
    "to_json",
    "written_as",
]
