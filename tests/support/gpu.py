"""Whether this machine can run the road `gpu`: a GPU, or Mesa's software for those that have none.

Where it cannot, tests that need it are skipped, or, with ENVGUARD_TEST_GPU=required as `.ci/run` sets it, fail.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = "from envguard.payload.gpu import display; print(display.renderer())"
PACKAGES = "libegl1 libgles2 libgl1-mesa-dri libegl-mesa0 libgbm1"


@pytest.fixture(scope="session")
def gpu() -> str:
    """What draws OpenGL ES here, in its own words."""
    asked = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "EGL_PLATFORM": "surfaceless"},
        capture_output=True,
        text=True,
    )
    if asked.returncode != 0:
        why = f"nothing draws OpenGL ES here (Debian: {PACKAGES}): {asked.stderr.strip().splitlines()[-1]}"
        if os.environ.get("ENVGUARD_TEST_GPU") == "required":
            pytest.fail(why)
        pytest.skip(why)
    return asked.stdout.strip()
