"""Give models to MediaPipe's GPU delegate for real: `ENV/bin/python -I ask_delegate.py FOLDER`, inside `verify`.

FOLDER holds models and `lints.json`, as `lint_models.py` wrote them; what the delegate says is written to `said.json`,
empty for a model that it takes. What MediaPipe runs on the CPU is not asked about.
"""

from __future__ import annotations

import importlib
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
AT_ONCE = 2


def main(folder: Path) -> None:
    """Ask about every model."""
    sys.path.insert(0, str(HERE))
    run: Any = importlib.import_module("run")
    run.load_payload()
    delegate: Any = importlib.import_module("envguard_payload.roads.delegate")
    runners = {file: each["runner"] for file, each in json.loads((folder / "lints.json").read_text()).items()}

    def ask(file: str) -> tuple[str, str]:
        return file, delegate.delegate_takes(folder / file, advanced=runners[file] == "ADVANCED")

    with ThreadPoolExecutor(AT_ONCE) as pool:
        said = dict(pool.map(ask, (file for file, runner in runners.items() if runner != "PROCESSOR")))
    (folder / "said.json").write_text(json.dumps(said))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
