"""Windows' job objects: a process and all that it starts end when the last handle of their job is closed.

Windows has no process groups that could be ended, and a child outlives its parent there; a handle is closed for a
process that is killed, too.
"""

from __future__ import annotations

import ctypes
import sys

CREATE_SUSPENDED = 0x4
"""A flag for Popen: the process waits for `Job` to let it run, so that it starts nothing outside of its job."""

_EXTENDED_LIMITS = 9  # JobObjectExtendedLimitInformation
_SILENT_BREAKAWAY = 0x1000  # JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK
_KILL_ON_CLOSE = 0x2000  # JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
_MAY = 0x0001 | 0x0100 | 0x0800  # PROCESS_TERMINATE, PROCESS_SET_QUOTA, PROCESS_SUSPEND_RESUME


class BasicLimits(ctypes.Structure):
    """JOBOBJECT_BASIC_LIMIT_INFORMATION."""

    _fields_ = (
        ("process_time", ctypes.c_int64),
        ("job_time", ctypes.c_int64),
        ("flags", ctypes.c_uint32),
        ("least_working_set", ctypes.c_size_t),
        ("most_working_set", ctypes.c_size_t),
        ("most_processes", ctypes.c_uint32),
        ("affinity", ctypes.c_size_t),
        ("priority", ctypes.c_uint32),
        ("scheduling", ctypes.c_uint32),
    )


class ExtendedLimits(ctypes.Structure):
    """JOBOBJECT_EXTENDED_LIMIT_INFORMATION."""

    _fields_ = (
        ("basic", BasicLimits),
        ("counters", ctypes.c_uint64 * 6),
        ("process_memory", ctypes.c_size_t),
        ("job_memory", ctypes.c_size_t),
        ("peak_process_memory", ctypes.c_size_t),
        ("peak_job_memory", ctypes.c_size_t),
    )


if sys.platform == "win32":
    _KERNEL = ctypes.WinDLL("kernel32", use_last_error=True)
    _KERNEL.CreateJobObjectW.argtypes = (ctypes.c_void_p, ctypes.c_wchar_p)
    _KERNEL.CreateJobObjectW.restype = ctypes.c_void_p
    _KERNEL.SetInformationJobObject.argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p, ctypes.c_uint32)
    _KERNEL.OpenProcess.argtypes = (ctypes.c_uint32, ctypes.c_int, ctypes.c_uint32)
    _KERNEL.OpenProcess.restype = ctypes.c_void_p
    _KERNEL.AssignProcessToJobObject.argtypes = (ctypes.c_void_p, ctypes.c_void_p)
    _KERNEL.TerminateJobObject.argtypes = (ctypes.c_void_p, ctypes.c_uint32)
    _KERNEL.CloseHandle.argtypes = (ctypes.c_void_p,)
    _RESUME = ctypes.WinDLL("ntdll").NtResumeProcess
    _RESUME.argtypes = (ctypes.c_void_p,)

    class Job:
        """The job of a process that was started suspended, which now runs; without `children`, what it starts is free.

        Raises OSError; then the process is still suspended, and must be killed.
        """

        def __init__(self, pid: int, *, children: bool = True) -> None:
            self._handle: int | None = _checked(_KERNEL.CreateJobObjectW(None, None))
            limits = ExtendedLimits()
            limits.basic.flags = _KILL_ON_CLOSE | (0 if children else _SILENT_BREAKAWAY)
            size = ctypes.sizeof(limits)
            _checked(_KERNEL.SetInformationJobObject(self._handle, _EXTENDED_LIMITS, ctypes.byref(limits), size))
            process = _checked(_KERNEL.OpenProcess(_MAY, False, pid))
            try:
                _checked(_KERNEL.AssignProcessToJobObject(self._handle, process))
                if _RESUME(process) != 0:
                    raise OSError(f"process {pid} cannot be resumed")
            finally:
                _KERNEL.CloseHandle(process)

        def kill(self) -> None:
            """End every process of the job at once."""
            if self._handle is not None:
                _KERNEL.TerminateJobObject(self._handle, 1)

        def close(self) -> None:
            """Let go of the job, which ends what still runs in it."""
            if self._handle is not None:
                _KERNEL.CloseHandle(self._handle)
                self._handle = None

    def _checked(result: int | None) -> int:
        if not result:
            raise ctypes.WinError(ctypes.get_last_error())
        return result
