"""Time every operator of two models with LiteRT's own profiler; a program of its own, because it calls C directly.

    python -I litert_profiler.py RESULT ROUNDS ORIGINAL QUANTIZED INPUTS

The Python package of LiteRT carries its C interface (`libLiteRt.so`) and wraps no profiler. Through that interface
XNNPACK tells the time of each operator that it really runs, in whole microseconds. RESULT becomes a JSON list with,
for both models, the names of the operators in their order and a row of microseconds per round: the whole invocation,
then each operator. INPUTS are the bytes of all inputs, one after the other.

Exit code 0, or another with the reason on standard error; a crash, where a LiteRT has another interface than expected,
ends this process only. Checked with LiteRT 2.2.0 and 2.3.0.
"""

from __future__ import annotations

import ctypes
import importlib.util
import json
import struct
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_LIBRARIES = ("libLiteRt.so", "libLiteRt.dylib")
_CPU = 1
_WRITE = 1
_WARM_UP = 5
_OPTIONS = b"enable_profiling = true\n"

# tflite/core/api/profiler.h
_WHOLE = (1, "Invoke")
_OPERATOR, _DELEGATED_OPERATOR = 2, 8

# Element type, rank and up to eight dimensions of LiteRtRankedTensorType.
_TENSOR_TYPE = "10i"


class _Event(ctypes.Structure):
    """ProfiledEventData of litert/c/litert_profiler_event.h."""

    _fields_ = (
        ("tag", ctypes.c_char_p),
        ("kind", ctypes.c_int),
        ("start", ctypes.c_uint64),
        ("microseconds", ctypes.c_uint64),
        ("memory", ctypes.c_int64 * 6),
        ("metadata", ctypes.c_uint64 * 2),
        ("source", ctypes.c_int),
    )


class _LiteRt:
    """The C interface, every call of which is checked."""

    def __init__(self) -> None:
        spec = importlib.util.find_spec("ai_edge_litert")
        folders = [] if spec is None else list(spec.submodule_search_locations or ())
        found = [path for folder in folders for name in _LIBRARIES if (path := Path(folder) / name).exists()]
        if not found:
            raise SystemExit("this LiteRT has no C interface beside it")
        self._library = ctypes.CDLL(str(found[0]))
        self.environment = self.made("LiteRtCreateEnvironment", 0, None)

    def call(self, name: str, *arguments: Any) -> None:
        function = getattr(self._library, name)
        function.restype = ctypes.c_int
        status = function(*arguments)
        if status != 0:
            raise SystemExit(f"{name} ended with status {status}")

    def made(self, name: str, *arguments: Any) -> ctypes.c_void_p:
        """What a function hands out through its last argument."""
        handle = ctypes.c_void_p()
        self.call(name, *arguments, ctypes.byref(handle))
        return handle

    def counted(self, name: str, *arguments: Any) -> int:
        count = ctypes.c_size_t()
        self.call(name, *arguments, ctypes.byref(count))
        return count.value


class _Model:
    """One compiled model with its inputs set and a profiler that sees it run."""

    def __init__(self, litert: _LiteRt, data: bytes, inputs: bytes) -> None:
        self._litert = litert
        self._data = ctypes.create_string_buffer(data, len(data))  # the model keeps pointing into it
        size = ctypes.c_size_t(len(data))
        self._model = litert.made("LiteRtCreateModelFromBuffer", litert.environment, self._data, size)
        self._compiled = litert.made("LiteRtCreateCompiledModel", litert.environment, self._model, self._options())
        self._graph = litert.made("LiteRtGetModelSubgraph", self._model, ctypes.c_size_t(0))
        self._profiler = litert.made("LiteRtCompiledModelGetProfiler", self._compiled)
        self._inputs, self._outputs = self._buffers("Input"), self._buffers("Output")
        self._fill(inputs)

    def _options(self) -> ctypes.c_void_p:
        options = self._litert.made("LiteRtCreateOptions")
        self._litert.call("LiteRtSetOptionsHardwareAccelerators", options, _CPU)
        # The text lives as long as this module, so what frees it has nothing to do.
        keep = ctypes.cast(_nothing, ctypes.c_void_p)
        profiling = self._litert.made("LiteRtCreateOpaqueOptions", b"runtime_options_string", _OPTIONS, keep)
        self._litert.call("LiteRtAddOpaqueOptions", options, profiling)
        return options

    def _buffers(self, which: str) -> Any:
        litert = self._litert
        count = litert.counted(f"LiteRtGetNumSubgraph{which}s", self._graph)
        buffers = (ctypes.c_void_p * count)()
        for index in range(count):
            place = ctypes.c_size_t(index)
            tensor = litert.made(f"LiteRtGetSubgraph{which}", self._graph, place)
            kind = ctypes.create_string_buffer(512)
            litert.call("LiteRtGetRankedTensorType", tensor, kind)
            element, rank, *shape = struct.unpack_from(_TENSOR_TYPE, kind)
            # The interpreter takes 1 for a dimension that the model leaves open, and so does everything here.
            struct.pack_into(_TENSOR_TYPE, kind, 0, element, rank, *(max(1, each) for each in shape))
            needs = litert.made(
                f"LiteRtGetCompiledModel{which}BufferRequirements", self._compiled, ctypes.c_size_t(0), place
            )
            make = "LiteRtCreateManagedTensorBufferFromRequirements"
            buffers[index] = litert.made(make, litert.environment, kind, needs).value
        return buffers

    def _fill(self, inputs: bytes) -> None:
        start = 0
        for buffer in map(ctypes.c_void_p, self._inputs):
            size = self._litert.counted("LiteRtGetTensorBufferPackedSize", buffer)
            part = inputs[start : start + size]
            if len(part) != size:
                raise SystemExit("the inputs are not as long as the model wants them")
            address = ctypes.c_void_p()
            self._litert.call("LiteRtLockTensorBuffer", buffer, ctypes.byref(address), _WRITE)
            assert address.value is not None
            ctypes.memmove(address.value, part, size)
            self._litert.call("LiteRtUnlockTensorBuffer", buffer)
            start += size

    def run(self) -> None:
        counts = ctypes.c_size_t(len(self._inputs)), ctypes.c_size_t(len(self._outputs))
        self._litert.call(
            "LiteRtRunCompiledModel", self._compiled, ctypes.c_size_t(0),
            counts[0], self._inputs, counts[1], self._outputs,
        )  # fmt: skip

    def profile(self) -> tuple[list[str], list[int]]:
        """Names of the operators of one run, and the microseconds of the whole run followed by theirs."""
        self._litert.call("LiteRtResetProfiler", self._profiler)
        self._litert.call("LiteRtStartProfiler", self._profiler)
        self.run()
        self._litert.call("LiteRtStopProfiler", self._profiler)
        number = ctypes.c_int()
        self._litert.call("LiteRtGetNumProfilerEvents", self._profiler, ctypes.byref(number))
        events = (_Event * max(1, number.value))()
        self._litert.call("LiteRtGetProfilerEvents", self._profiler, number, events)
        names: list[str] = []
        whole: list[int] = []
        times: list[int] = []
        for event in events[: number.value]:
            name = (event.tag or b"").decode("utf-8", "backslashreplace")
            if event.kind in (_OPERATOR, _DELEGATED_OPERATOR) and not name.endswith("Delegate"):
                names.append(name)
                times.append(event.microseconds)
            elif (event.kind, name) == _WHOLE:
                whole.append(event.microseconds)
        if len(whole) != 1 or not names:
            raise SystemExit("the profiler told of no operators")
        return names, whole + times


_nothing = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(lambda _: None)


def measure(models: Sequence[bytes], inputs: bytes, rounds: int) -> list[dict[str, Any]]:
    """Names and times of both models, which run in turns so that what slows the machine slows both."""
    litert = _LiteRt()
    prepared = [_Model(litert, data, inputs) for data in models]
    for _ in range(_WARM_UP):
        for model in prepared:
            model.run()
    found: list[dict[str, Any]] = [{"operators": model.profile()[0], "microseconds": []} for model in prepared]
    for _ in range(rounds):
        for model, described in zip(prepared, found):  # noqa: B905 - Python 3.9
            names, times = model.profile()
            if names != described["operators"]:
                raise SystemExit("two runs of one model had different operators")
            described["microseconds"].append(times)
    return found


def main(arguments: Sequence[str]) -> int:
    """Profile the models that the arguments name; see the module."""
    result, rounds, original, quantized, inputs = arguments
    models = [Path(original).read_bytes(), Path(quantized).read_bytes()]
    found = measure(models, Path(inputs).read_bytes(), int(rounds))
    Path(result).write_text(json.dumps(found), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
