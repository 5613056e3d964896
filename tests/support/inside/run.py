"""Run one file of unittest cases inside an environment: `ENV/bin/python -I run.py TEST_FILE`.

The payload is loaded just as a real run loads it, so the tests import it as `envguard_payload`; the modules beside this
file are `payload_support`.
"""

from __future__ import annotations

import importlib.util
import sys
import unittest
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).resolve().parent
PAYLOAD_MAIN = HERE.parents[2] / "envguard" / "payload" / "__main__.py"


def load_file(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def load_payload() -> None:
    """Make `envguard_payload` and `payload_support` importable."""
    load_file("payload_main", PAYLOAD_MAIN).load_package()
    support = ModuleType("payload_support")
    support.__path__ = [str(HERE)]
    sys.modules[support.__name__] = support


def main(test_file: str) -> int:
    load_payload()
    tests = load_file("payload_tests", Path(test_file).resolve())
    suite = unittest.defaultTestLoader.loadTestsFromModule(tests)
    outcome = unittest.TextTestRunner(verbosity=2).run(suite)
    return 0 if outcome.wasSuccessful() and outcome.testsRun > 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
