"""The proof of the environment `verify`: MediaPipe finds a face with a real bundle on a real picture."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from ..contract import Request
from ..protocol import Events, Failure, Result
from ..system.system_libraries import failure as missing_library
from ..system.system_libraries import missing_libraries

PACKAGES = ("mediapipe", "cv2", "numpy", "PIL")
"""What brings the native code that the environment runs."""

CPU_LIST = Path("/sys/devices/system/cpu/possible")
"""What the allocator in MediaPipe 1's library reads when it is loaded; it ends the process if it cannot."""

LIBRARY_WITH_ALLOCATOR = Path("tasks/c/libmediapipe.so")


def run(request: Request, events: Events) -> Result:
    """Find a face with the face bundle `inputs["bundle"]` in `inputs["picture"]`; under five seconds.

    MediaPipe 1.2 ships no model of its own, so both are given. Failures: `missing-library` names each system library
    that is not there and the package that brings it; `sysfs-not-mounted`; `import-fails`; `mediapipe-rejects`;
    `no-face-found`.
    """
    failures = _system_failures()
    if failures:
        return Result({"works": False}, failures)
    try:
        landmarkers = importlib.import_module("..landmarks.landmarkers", __package__)
        views = importlib.import_module("..landmarks.views", __package__)
        face = importlib.import_module("..landmarks.face", __package__).FACE
    except (ImportError, OSError, AttributeError) as cause:
        # A broken installation imports partly, and fails with whatever it misses first.
        return Result({"works": False}, (Failure("import-fails", f"MediaPipe cannot be imported: {cause}"),))
    return _find_a_face(request, landmarkers, views, face)


def _find_a_face(request: Request, landmarkers: ModuleType, views: ModuleType, face: Any) -> Result:
    picture = views.read_picture(request.file("picture"))
    values = {"works": False, "mediapipe": landmarkers.VERSION}
    try:
        with landmarkers.reader(face, request.file("bundle"), tuple(face.task.switches)) as read:
            faces = read(picture.pixels).found
    except landmarkers.Rejected as rejection:
        return Result(values, (Failure("mediapipe-rejects", f"MediaPipe does not take the bundle: {rejection}"),))
    if not faces:
        return Result(values, (Failure("no-face-found", f"MediaPipe finds no face in {picture.name}."),))
    found = {"faces": len(faces), "landmarks": len(faces[0].landmarks), "blendshapes": len(faces[0].scores)}
    return Result({**values, "works": True, **found})


def _system_failures() -> tuple[Failure, ...]:
    """What the system lacks; found before MediaPipe is loaded, because it ends the process for some of it."""
    if not sys.platform.startswith("linux"):
        return ()
    folders = _native_folders()
    if any((folder / LIBRARY_WITH_ALLOCATOR).exists() for folder in folders) and not CPU_LIST.exists():
        message = f"There is no {CPU_LIST}, without which MediaPipe ends the process."
        return (Failure("sysfs-not-mounted", message, "Mount sysfs: mount -t sysfs sysfs /sys"),)
    missing = missing_libraries(folders)
    return (missing_library(missing, "MediaPipe"),) if missing else ()


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
