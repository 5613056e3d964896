"""Write small models, as a program inside the quantize environment: `ENV/bin/python -I make_models.py FOLDER`.

`small.tflite` is a convolution in float32, `again.tflite` the same one quantized already.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


def main(folder: Path) -> None:
    """Make the models that the payload's own tests are made with."""
    sys.path.insert(0, str(HERE))
    run: Any = importlib.import_module("run")
    run.load_payload()
    networks: Any = importlib.import_module("payload_support.networks")
    data, outcome = networks.quantized(networks.network().model)
    (folder / "small.tflite").write_bytes(data)
    (folder / "again.tflite").write_bytes(outcome.data)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
