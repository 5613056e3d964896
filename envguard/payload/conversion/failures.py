"""What to do where TensorFlow's converter gives up: each of its failures in one sentence, with a cure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..protocol import Refused

_MISSING = re.compile(r"^(TF Select|Custom) ops: (.+)$", re.MULTILINE)
_UNKNOWN = re.compile(r"Op type not registered '([^']+)'")
_SIGNATURES = re.compile(r"Valid keys are '([^']*)'")
_LOCATION = re.compile(r"^.*?error: (?:loc\(.*\): )?")
_OPERATOR = re.compile(r"'tf(?:l)?\.(\w+)'")
_LONGEST = 200

_LOOPS = ("TensorListReserve", "TensorListFromTensor", "TensorListStack")
_VARIABLES = ("VarHandleOp", "ReadVariableOp", "AssignVariableOp", "resource variable", "READ_VARIABLE", "VAR_HANDLE")
_STRINGS = ("String", "Regex", "Ragged", "Lookup", "HashTable", "UnicodeTranscode")
_RANDOM = ("Random", "ImageProjectiveTransform")
_RUNNING = "failed to invoke"


class OpenBatch(Refused):
    """A loop, as in recurrent layers, over inputs whose batch is open."""


def of(name: str, signature: str, tensorflow: str, text: str, shapes: Sequence[str] = ()) -> Refused:
    """The refusal for what TensorFlow said when it could not convert the signature of the model called `name`.

    `shapes` are the signature's inputs with a batch of one, as a line of code that fixes them would have them.
    """
    known = _SIGNATURES.search(text)
    if known or "no signatures" in text.lower():
        return _signature(name, signature, known[1].split(",") if known else [])
    missing = [each for match in _MISSING.finditer(text) for each in match[2].strip().split(", ")]
    unknown = _UNKNOWN.search(text)
    if missing or unknown:
        return _operators(name, list(dict.fromkeys(missing)) or [unknown[1] if unknown else ""])
    if any(each in text for each in _LOOPS):
        specs = ", ".join(shapes) or 'keras.InputSpec((1, 28, 28), "float32")'
        return OpenBatch(
            f"{name} has a recurrent layer or another loop, and its batch is open.",
            why="TensorFlow Lite must know the size of what a loop collects.",
            next_step=f"Export it with a batch of 1: `model.export(FOLDER, input_signature=[{specs}])`.",
        )
    if any(each in text for each in _VARIABLES):
        return Refused(
            f"{name} changes variables while it runs, which TensorFlow Lite cannot convert.",
            why=_shortened(text),
            next_step="Make the state an input and an output (recurrent layers: stateful=False), and export again.",
        )
    if _RUNNING in text:
        return Refused(
            f"{name} does not run on the calibration inputs.",
            why=_shortened(text),
            next_step="Check the inputs: `model.predict` must accept them, and ids must be within the model's table.",
        )
    operator = _OPERATOR.search(text)
    return Refused(
        f"TensorFlow {tensorflow} cannot convert {operator[1] + ' in ' if operator else ''}{name}.",
        why=_shortened(text),
        next_step="Write that part of the model with other operators, or leave it out of what is exported.",
    )


def calibrated_loop(name: str) -> Refused:
    """For a loop whose activations are to be int8: the converter's calibrator ends the process, so it is not called."""
    return Refused(
        f"{name} has a recurrent layer or another loop, which TensorFlow cannot calibrate.",
        why="Its calibrator crashes on loops; int8 weights are possible.",
        next_step="Leave out --calibration for int8 weights, or build the layer with unroll=True for int8 throughout.",
    )


def _signature(name: str, signature: str, known: Sequence[str]) -> Refused:
    names = [each for each in known if each and not each.startswith("__saved_model")]
    if not names:
        return Refused(
            f"{name} has no signature to convert.",
            why="A SavedModel's signature names its inputs and outputs; this one has none.",
            next_step="Write it with `model.export(FOLDER)`, or with `tf.saved_model.save(model, FOLDER, "
            "signatures=model.call.get_concrete_function(tf.TensorSpec([1, 16])))`.",
        )
    return Refused(
        f"{name} has no signature {signature!r}.",
        why=f"Its signatures are: {', '.join(map(repr, names))}.",
        next_step=f"Name one, as in --signature {names[0]}.",
    )


def _operators(name: str, operators: Sequence[str]) -> Refused:
    why = "They would need TensorFlow's own kernels (Select ops) or code of yours in every app that runs it."
    next_step = "Write that part of the model with other operators, or leave it out of what is exported."
    if any(each.startswith(_RANDOM) for each in operators):
        next_step = "Leave layers that augment or draw at random out of what is exported: they are for training."
    if any(each.startswith(_STRINGS) for each in operators):
        why = "They handle text, and would need TensorFlow's own kernels (Select ops) in every app that runs it."
        next_step = (
            "Export the model from behind its text layers: `keras.Sequential(model.layers[1:])` if TextVectorization "
            "comes first. The app then turns text into ids."
        )
    return Refused(
        f"{name} has operators that TensorFlow Lite does not have: {', '.join(operators)}.",
        why=why,
        next_step=next_step,
    )


def _shortened(text: str) -> str:
    """The first line without the places in the graph that come before what it says."""
    line = _LOCATION.sub("", text.splitlines()[0]).strip()
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 2].rsplit(' ', 1)[0]} …"
