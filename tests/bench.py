"""How long the warm paths take, as ratios, and how often `explain` is right: `make bench`.

Each comparison runs its commands in turns (A B C, A B C, …), and medians are quoted: a busy machine slows all alike.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.support.logs_kept import rates

ROUNDS = 21
REQUIREMENT = "ai-edge-quantizer==0.10.0"
LAUNCHER = str(Path(sys.executable).with_name("envguard"))
UV = str(Path(sys.executable).with_name("uv"))


def timed(command: list[str]) -> float:
    """Seconds that a command takes."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def until_first_step(home: Path, launcher: str = LAUNCHER) -> float:
    """Seconds from the start of `envguard run quantize` to the request of its first step."""
    earlier = set(home.glob("runs/run-*"))
    with tempfile.TemporaryDirectory() as folder, Path(folder, "said").open("w+") as said:
        command = [launcher, "run", "quantize", "sample:face_landmarker", "--fresh", "-o", f"{folder}/out.task"]
        start = time.perf_counter()
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said) as run:
            try:
                while not any(
                    (each / "inspect.request.json").exists() for each in {*home.glob("runs/run-*")} - earlier
                ):
                    if run.poll() is not None:
                        said.seek(0)
                        raise RuntimeError(f"the run has ended ({run.returncode}) without a first step:\n{said.read()}")
                    time.sleep(0.001)
                return time.perf_counter() - start
            finally:
                run.terminate()


def medians(measures: Mapping[str, Callable[[], float]], rounds: int = ROUNDS) -> dict[str, float]:
    """The median of each measure in milliseconds, taken in turns after one round that does not count."""
    samples: dict[str, list[float]] = {name: [] for name in measures}
    for number in range(rounds + 1):
        for name, measure in measures.items():
            seconds = measure()
            if number:
                samples[name].append(seconds * 1000)
    return {name: statistics.median(values) for name, values in samples.items()}


def main() -> None:
    """Print the table."""
    home = Path(os.environ["ENVGUARD_HOME"])
    subprocess.run([LAUNCHER, "create", "quantize", "verify", "samples"], check=True, stdout=subprocess.DEVNULL)
    python = subprocess.run(
        [LAUNCHER, "path", "quantize", "--python"], check=True, capture_output=True, text=True
    ).stdout.strip()
    base = str(Path(python).resolve())  # else uv would find the requirement met by the environment itself
    result = medians(
        {
            "the environment's python -c pass": lambda: timed([python, "-c", "pass"]),
            "envguard exec quantize -- python -c pass": lambda: timed(
                [LAUNCHER, "exec", "quantize", "--", "python", "-c", "pass"]
            ),
            f"uv run --with {REQUIREMENT} python -c pass": lambda: timed(
                [UV, "run", "--no-project", "--python", base, "--with", REQUIREMENT, "python", "-c", "pass"]
            ),
        }
    )
    bare, ours, uvs = result.values()
    for name, value in result.items():
        print(f"{value:8.1f} ms  {value / bare:6.2f} × bare  {name}")
    print(f"{ours - bare:8.1f} ms  envguard exec over the bare Python; {ours / uvs:.3f} of uv run --with")
    (first,) = medians({"first": lambda: until_first_step(home)}, rounds=7).values()
    print(f"{first:8.1f} ms  {first / bare:6.2f} × bare  envguard run quantize, until its first step starts")

    print(f"{'explain':>11}  texts that its rules may be made from: {rates('made_from')}")
    print(f"{'':>11}  texts that only measure it: {rates('held_out')}")


if __name__ == "__main__":
    main()
