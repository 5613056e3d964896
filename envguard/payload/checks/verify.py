"""The proof of the environment `verify`: MediaPipe finds a face with a real bundle on a real picture."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from ..contract import CheckFindings, Gate, Json, Request, StepFindings
from ..gates import GateDeclaration, judge
from ..protocol import Events
from ..system.system_libraries import judged as judged_libraries
from ..system.system_libraries import missing_libraries

PACKAGES = ("mediapipe", "cv2", "numpy", "PIL")
"""What brings the native code that the environment runs."""

CPU_LIST = Path("/sys/devices/system/cpu/possible")
"""What the allocator in MediaPipe 1's library reads when it is loaded; it ends the process if it cannot."""

LIBRARY_WITH_ALLOCATOR = Path("tasks/c/libmediapipe.so")


SYSFS = GateDeclaration(
    "sysfs-not-mounted",
    "Processors are listed",
    f"There is no {CPU_LIST}, without which MediaPipe ends the process.",
    "Mount sysfs: mount -t sysfs sysfs /sys",
)
IMPORT_FAILS = GateDeclaration("import-fails", "MediaPipe can be imported", "MediaPipe cannot be imported: {cause}")
REJECTS = GateDeclaration(
    "mediapipe-rejects", "MediaPipe takes the bundle", "MediaPipe does not take the bundle: {cause}"
)
NO_FACE = GateDeclaration("no-face-found", "A face is found", "MediaPipe finds no face in {subject}.")


def run(request: Request, events: Events) -> StepFindings:
    """Find a face with the face bundle `inputs["bundle"]` in `inputs["picture"]`; under five seconds.

    MediaPipe 1.2 ships no model of its own, so both are given.
    """
    gates = _judged_system()
    if not all(gate.passed for gate in gates):
        return StepFindings(CheckFindings({"works": False}), gates)
    try:
        landmarkers = importlib.import_module("..landmarks.landmarkers", __package__)
        reading = importlib.import_module("..pictures.reading", __package__)
        face = importlib.import_module("..landmarks.face", __package__).FACE
    except (ImportError, OSError, AttributeError) as cause:
        # A broken installation imports partly, and fails with whatever it misses first.
        return StepFindings(
            CheckFindings({"works": False}), (*gates, judge(IMPORT_FAILS, passed=False, words={"cause": cause}))
        )
    facts, judged = _find_a_face(request, landmarkers, reading, face)
    works = all(gate.passed for gate in judged)
    return StepFindings(CheckFindings({"works": works, **facts}), (*gates, judge(IMPORT_FAILS, passed=True), *judged))


def _find_a_face(
    request: Request, landmarkers: ModuleType, reading: ModuleType, face: Any
) -> tuple[dict[str, Json], tuple[Gate, ...]]:
    picture = reading.read_picture(request.file("picture"))
    facts: dict[str, Json] = {"mediapipe": landmarkers.VERSION}
    try:
        with landmarkers.reader(face, request.file("bundle"), tuple(face.task.switches)) as read:
            faces = read(picture.pixels).found
    except landmarkers.Rejected as rejection:
        return facts, (judge(REJECTS, passed=False, words={"cause": rejection}),)
    gates = (judge(REJECTS, passed=True), judge(NO_FACE, passed=bool(faces), subject=picture.name))
    if faces:
        facts.update(faces=len(faces), landmarks=len(faces[0].landmarks), blendshapes=len(faces[0].scores))
    return facts, gates


def _judged_system() -> tuple[Gate, ...]:
    """What the system needs; found before MediaPipe is loaded, because it ends the process for some of it."""
    if not sys.platform.startswith("linux"):
        return ()
    folders = _native_folders()
    listed = CPU_LIST.exists() or not any((folder / LIBRARY_WITH_ALLOCATOR).exists() for folder in folders)
    if not listed:
        return (judge(SYSFS, passed=False),)
    return (judge(SYSFS, passed=True), judged_libraries(missing_libraries(folders), "MediaPipe"))


def _native_folders() -> list[Path]:
    """Each package's folder and the folder of libraries that auditwheel put beside it."""
    folders = []
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            continue
        folder = Path(spec.origin).parent
        folders += [folder, *folder.parent.glob("*.libs")]
    return [folder for folder in dict.fromkeys(folders) if folder.is_dir()]
