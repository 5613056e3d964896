"""A process of its own that gives one model to MediaPipe's GPU delegate: the delegate may end its process.

usage: python -I delegate_trial.py MODEL FOLDER OUTPUTS [--advanced]
FOLDER may hold the inputs as `in0.npy`, `in1.npy` …; the outputs are written there as `out0.npy` …
"""

from __future__ import annotations

import sys
from pathlib import Path

import mediapipe
import numpy as np

_TENSORS = """
input_stream: "TENSORS:tensors"
output_stream: "answers"
"""

_FEED = """
input_stream: "in{0}"
node {{
  calculator: "TensorConverterCalculator" input_stream: "IMAGE:in{0}" output_stream: "TENSORS:tensor{0}"
  options {{ [mediapipe.TensorConverterCalculatorOptions.ext] {{
    max_num_channels: 1 use_custom_normalization: true custom_div: 1 custom_sub: 0
  }} }}
}}
"""

_JOIN = """
node {{ calculator: "ConcatenateTensorVectorCalculator" {0} output_stream: "tensors" }}
"""

_INFER = """
node {{
  calculator: "InferenceCalculator" input_stream: "TENSORS:tensors" output_stream: "TENSORS:answers"
  options {{ [mediapipe.InferenceCalculatorOptions.ext] {{
    model_path: "{0}" delegate {{ gpu {{ {1} }} }}
  }} }}
}}
"""

_SPLIT = """
node {{
  calculator: "SplitTensorVectorCalculator" input_stream: "answers" {0}
  options {{ [mediapipe.SplitVectorCalculatorOptions.ext] {{ {1} }} }}
}}
"""

_READ = """
node {{ calculator: "TensorsToFloatsCalculator" input_stream: "TENSORS:answer{0}" output_stream: "FLOATS:out{0}" }}
"""


def load(inference: str) -> None:
    """Open the graph, which compiles the model for the GPU, and close it."""
    graph = mediapipe.CalculatorGraph(graph_config=_TENSORS + inference)
    graph.start_run()
    graph.wait_until_idle()
    graph.close_all_packet_sources()
    graph.wait_until_done()


def call(inference: str, folder: Path, inputs: list[Path], outputs: int) -> None:
    """One call with the arrays of the folder; each output is written there, flat."""
    numbers = range(len(inputs))
    graph = mediapipe.CalculatorGraph(
        graph_config="".join(_FEED.format(number) for number in numbers)
        + _JOIN.format(" ".join(f'input_stream: "tensor{number}"' for number in numbers))
        + inference
        + _SPLIT.format(
            " ".join(f'output_stream: "answer{number}"' for number in range(outputs)),
            " ".join(f"ranges: {{ begin: {number} end: {number + 1} }}" for number in range(outputs)),
        )
        + "".join(_READ.format(number) for number in range(outputs))
    )

    def keep(name: str, packet: object) -> None:
        np.save(folder / f"{name}.npy", np.array(mediapipe.packet_getter.get_float_list(packet), np.float32))

    for number in range(outputs):
        graph.observe_output_stream(f"out{number}", keep)
    graph.start_run()
    for number, path in enumerate(inputs):
        # The converter copies pixels as they come; the delegate reads them in the shape of the model's own input.
        pixels = np.ascontiguousarray(np.load(path).reshape(1, -1), np.float32)
        image = mediapipe.packet_creator.create_image_frame(data=pixels, image_format=mediapipe.ImageFormat.VEC32F1)
        graph.add_packet_to_input_stream(f"in{number}", image.at(1))
    graph.wait_until_idle()
    graph.close_all_packet_sources()
    graph.wait_until_done()


def main(model: str, folder: Path, outputs: int, advanced: bool) -> None:
    """Give the model to the delegate; the exit code is 3 where MediaPipe refuses it, its words are on stderr."""
    options = "use_advanced_gpu_api: true api: OPENGL usage: SUSTAINED_SPEED" if advanced else ""
    inference = _INFER.format(model, options)
    inputs = sorted(folder.glob("in*.npy"), key=lambda path: int(path.stem[2:]))
    try:
        if inputs:
            call(inference, folder, inputs, outputs)
        else:
            load(inference)
    except (RuntimeError, ValueError) as refused:
        print(refused, file=sys.stderr)
        sys.exit(3)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), advanced=sys.argv[4:] == ["--advanced"])
