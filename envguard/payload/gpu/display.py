"""What draws OpenGL ES 3 on this machine, asked of EGL itself: MediaPipe's own answer names nothing."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

EGL, GLES = "libEGL.so.1", "libGLESv2.so.2"
LIBRARIES = (EGL, GLES)
PACKAGES = ("libegl1", "libgles2", "libgl1-mesa-dri", "libegl-mesa0", "libgbm1")
"""Debian's: the two libraries, and Mesa's drivers for them, one of which draws by software where there is no GPU."""

DRIVERS = f"Debian and Ubuntu have what draws without a GPU, too, in {' '.join(PACKAGES)}."

# Of EGL/egl.h and GLES3/gl3.h.
NONE, PBUFFER_BIT, ES3_BIT, ES_API = 0x3038, 0x0001, 0x0040, 0x30A0
SURFACE_TYPE, RENDERABLE_TYPE, WIDTH, HEIGHT, CONTEXT_VERSION = 0x3033, 0x3040, 0x3057, 0x3056, 0x3098
GL_RENDERER = 0x1F01


class NoDisplay(Exception):
    """Nothing draws OpenGL ES 3 here; the text is a sentence that says what is missing."""


def missing_libraries() -> tuple[str, ...]:
    """Those of the two libraries that the linker does not find."""
    return tuple(name for name in LIBRARIES if not _loads(name))


def renderer() -> str:
    """What draws, as it calls itself: a GPU's name, or `llvmpipe` and the like for software; raises `NoDisplay`."""
    egl, gles = _library(EGL), _library(GLES)
    display = egl.eglGetDisplay(None)
    if not display or not egl.eglInitialize(display, None, None):
        raise NoDisplay(f"EGL opens no display here ({_error(egl)}).")
    try:
        with _context(egl, display):
            gles.glGetString.restype = ctypes.c_char_p
            name = gles.glGetString(GL_RENDERER)
    finally:
        egl.eglTerminate(display)
    if not name:
        raise NoDisplay("OpenGL ES does not say what draws.")
    return str(name.decode("utf-8", "replace"))


@contextmanager
def _context(egl: Any, display: Any) -> Iterator[None]:
    """A current context of OpenGL ES 3 on one invisible pixel, as MediaPipe makes one."""
    egl.eglBindAPI(ES_API)
    config, count = ctypes.c_void_p(), ctypes.c_int()
    wanted = _attributes(SURFACE_TYPE, PBUFFER_BIT, RENDERABLE_TYPE, ES3_BIT)
    egl.eglChooseConfig(display, wanted, ctypes.byref(config), 1, ctypes.byref(count))
    if not count.value:
        raise NoDisplay("EGL has no configuration for OpenGL ES 3.")
    surface = egl.eglCreatePbufferSurface(display, config, _attributes(WIDTH, 1, HEIGHT, 1))
    context = egl.eglCreateContext(display, config, None, _attributes(CONTEXT_VERSION, 3))
    if not context or not egl.eglMakeCurrent(display, surface, surface, context):
        raise NoDisplay(f"EGL makes no context for OpenGL ES 3 ({_error(egl)}).")
    try:
        yield
    finally:
        egl.eglMakeCurrent(display, None, None, None)
        egl.eglDestroyContext(display, context)
        egl.eglDestroySurface(display, surface)


def _library(name: str) -> Any:
    try:
        library = ctypes.CDLL(name)
    except OSError as cause:
        raise NoDisplay(f"{name} cannot be loaded: {cause}.") from cause
    if name == EGL:
        pointer = ctypes.c_void_p
        for function, arguments in {
            "eglGetDisplay": [pointer],
            "eglInitialize": [pointer, pointer, pointer],
            "eglChooseConfig": [pointer, pointer, pointer, ctypes.c_int, pointer],
            "eglCreatePbufferSurface": [pointer, pointer, pointer],
            "eglCreateContext": [pointer, pointer, pointer, pointer],
            "eglMakeCurrent": [pointer, pointer, pointer, pointer],
            "eglDestroyContext": [pointer, pointer],
            "eglDestroySurface": [pointer, pointer],
            "eglTerminate": [pointer],
        }.items():
            getattr(library, function).argtypes = arguments
        for function in ("eglGetDisplay", "eglCreatePbufferSurface", "eglCreateContext"):
            getattr(library, function).restype = pointer
    return library


def _attributes(*values: int) -> Any:
    return (ctypes.c_int * (len(values) + 1))(*values, NONE)


def _error(egl: Any) -> str:
    return f"EGL error 0x{egl.eglGetError():04x}"


def _loads(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True
