"""The benchmarks end when what they wait for has ended."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest


def test_a_run_that_ends_before_its_first_step_ends_the_benchmark(tmp_path: Path) -> None:
    launcher = tmp_path / "envguard"
    launcher.write_text("#!/bin/sh\necho 'envguard: No environment.' >&2\nexit 3\n")
    launcher.chmod(0o755)
    bench = runpy.run_path(str(Path(__file__).with_name("bench.py")))
    with pytest.raises(RuntimeError, match=r"has ended \(3\)(?s:.*)envguard: No environment\."):
        bench["until_first_step"](tmp_path, str(launcher))
