"""Write small models, as a program inside the quantize environment: `ENV/bin/python -I make_models.py FOLDER`.

`small.tflite` is a convolution in float32, `again.tflite` the same one quantized already.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

HERE = Path(__file__).resolve().parent


def load(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def main(folder: Path) -> None:
    """Make the models that the payload's own tests are made with."""
    load("run", HERE / "run.py").load_file(
        "payload_main", HERE.parents[1] / "envguard/payload/__main__.py"
    ).load_package()
    tests: Any = load("payload_tests", HERE / "in_quantize" / "test_quantizing.py")
    data, outcome = tests.quantized(tests.network().model)
    (folder / "small.tflite").write_bytes(data)
    (folder / "again.tflite").write_bytes(outcome.data)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
