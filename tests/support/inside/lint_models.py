"""Say of models what the rules of roads say, and write them where they can be tried: inside the quantize environment.

usage: ENV/bin/python -I lint_models.py FOLDER SEED COUNT FILE...
The models of each FILE, of every rule's case and of a sweep are written to FOLDER, and `lints.json` with what is said
of each on the road `gpu`: the verdict, the words, and what runs it. Those that the CPU does not load are left out.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
Found = tuple[str, bytes, Any]


def main(folder: Path, seed: int, count: int, files: list[Path]) -> None:
    """Write the models and what is said of them."""
    sys.path.insert(0, str(HERE))
    run: Any = importlib.import_module("run")
    run.load_payload()
    lint: Any = importlib.import_module("envguard_payload.roads.lint")
    models: Any = importlib.import_module("envguard_payload.graph.model")
    said = {}
    for number, (name, data, runner) in enumerate((*_of_files(files), *_made(seed, count))):
        if not _loads(data):
            continue
        file = f"{number:04}.tflite"
        (folder / file).write_bytes(data)
        (gpu,) = (each for each in lint.linted(models.load(data, name), runner) if each.road == "gpu")
        words = [f"{each.count} {each.operator}: {each.reason}" for each in gpu.refused]
        said[file] = {"name": name, "verdict": gpu.verdict, "words": words, "runner": runner.name}
    (folder / "lints.json").write_text(json.dumps(said))


def _of_files(files: list[Path]) -> Iterator[Found]:
    """Every model of bundles and bare files."""
    bundle: Any = importlib.import_module("envguard_payload.files.bundle")
    members: Any = importlib.import_module("envguard_payload.roads.members")
    quantizing: Any = importlib.import_module("envguard_payload.int8.quantizing")
    for path in files:
        file = bundle.read(path)
        for model in file.models():
            runner = members.runner_of(model.path, file.suffix == bundle.BUNDLE_SUFFIX)
            yield f"{path.name} {model.name}", quantizing.split(model.data, model.name)[0], runner


def _made(seed: int, count: int) -> Iterator[Found]:
    """The case of every rule, and the sweep."""
    cases: Any = importlib.import_module("payload_support.road_cases")
    graphs: Any = importlib.import_module("payload_support.road_graphs")
    models: Any = importlib.import_module("envguard_payload.graph.model")
    members: Any = importlib.import_module("envguard_payload.roads.members")
    for name, model, _ in cases.cases():
        yield f"case {name}", models.save(model), members.Runner.DELEGATE
    for name, model in graphs.sweep(seed, count):
        yield name, models.save(model), members.Runner.DELEGATE


def _loads(data: bytes) -> bool:
    """Whether an interpreter takes the model at all; one with custom operators needs MediaPipe's."""
    interpreting: Any = importlib.import_module("ai_edge_litert.interpreter")
    try:
        interpreting.Interpreter(model_content=data).allocate_tensors()
    except (RuntimeError, ValueError) as cause:
        return "custom op" in str(cause)
    return True


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), [Path(path) for path in sys.argv[4:]])
