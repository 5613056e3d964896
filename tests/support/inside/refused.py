"""A model that GPUs refuse: `payload_support.refused`, or a program in the verify environment: `refused.py OLD NEW`."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from mediapipe.tasks.metadata import schema_py_generated as tflite

LANDMARKS = "face_landmarks_detector"
LARGE = 100_000


def behind_dequantize(data: bytes, least: int = LARGE) -> bytes:
    """The model with its constants of so many bytes in int8, each behind the DEQUANTIZE that was there for float16."""
    model = tflite.ModelT.InitFromObj(tflite.Model.GetRootAsModel(data, 0))
    (graph,) = model.subgraphs
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]
    for operator in graph.operators:
        tensor = graph.tensors[operator.inputs[0]]
        stored = model.buffers[tensor.buffer]
        if codes[operator.opcodeIndex] != tflite.BuiltinOperator.DEQUANTIZE or len(stored.data) < least:
            continue
        weights = np.frombuffer(np.asarray(stored.data, np.uint8).tobytes(), np.float16).astype(np.float32)
        scale = float(np.abs(weights).max()) / 127
        stored.data = np.rint(weights / scale).astype(np.int8).view(np.uint8)
        tensor.type = tflite.TensorType.INT8
        tensor.quantization = tflite.QuantizationParametersT()
        tensor.quantization.scale, tensor.quantization.zeroPoint = [scale], [0]
    builder = flatbuffers.Builder(len(data))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def main(old: Path, new: Path) -> None:
    """Write a face bundle whose landmark model GPUs refuse."""
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    run: Any = importlib.import_module("run")
    run.load_payload()
    bundles: Any = importlib.import_module("envguard_payload.files.bundle")
    whole = bundles.read(old)
    (data,) = (model.data for model in whole.models() if model.name == LANDMARKS)
    new.write_bytes(whole.replaced({LANDMARKS: behind_dequantize(bytes(data))}).to_bytes())


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
