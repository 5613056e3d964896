"""Run a command that has no network and can write to one folder only, by namespaces of Linux; runs as a file.

Its arguments: the folder; where the command starts, and the command, by the names that it sees (`seen_as`). It exits
with NOT_HERE, and says why, where the system does not allow that. In namespaces of its own, a process may give up the
network, and make every file system read-only; it comes out of this as a user without rights over either, even if it was
root before. In /run are the sockets of the system's services, by which a command could reach others that have a
network. It is empty but for the folder, which has the same name in every build: compilers write names into their work.
"""

import ctypes
import os
import sys

NOT_HERE = 97
RUN, PLACE = "/run", "/run/envguard"
NEW_MOUNTS, NEW_USER, NEW_NET, NEW_IPC = 0x00020000, 0x10000000, 0x40000000, 0x08000000
BIND, RECURSIVE, PRIVATE = 0x1000, 0x4000, 0x40000
MOUNT_SETATTR = 442  # on every processor
FROM_HERE, ALL_BELOW, READ_ONLY = -100, 0x8000, 1
NO_NEW_PRIVILEGES = 38
SOMEBODY = 1000


class MountAttributes(ctypes.Structure):
    """`struct mount_attr` of mount_setattr(2)."""

    _fields_ = (
        ("attr_set", ctypes.c_uint64),
        ("attr_clr", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("userns_fd", ctypes.c_uint64),
    )


def main() -> None:
    """Shut this process in, and become the command."""
    folder, start, command = sys.argv[1], sys.argv[2], sys.argv[3:]
    try:
        shut_in(folder)
    except (OSError, AttributeError) as error:
        print(error, file=sys.stderr)
        sys.exit(NOT_HERE)
    os.chdir(start)  # through the mounts that are there now
    os.execve(command[0], command, dict(os.environ))


def seen_as(folder: str) -> str:
    """What a command that is shut in calls its folder."""
    is_free = os.path.isdir(RUN) and not os.path.realpath(folder).startswith(RUN + "/")  # noqa: PTH112 - small
    return PLACE if is_free else folder


def shut_in(folder: str) -> None:
    """Raises OSError where the system does not allow it."""
    if sys.platform == "win32":
        raise OSError("Windows has no namespaces")
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    _done(libc.unshare(NEW_USER | NEW_NET | NEW_IPC | NEW_MOUNTS), "unshare")
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{SOMEBODY} {user} 1")
    _write("/proc/self/gid_map", f"{SOMEBODY} {group} 1")
    _done(libc.mount(None, b"/", None, RECURSIVE | PRIVATE, None), "mount")
    place = seen_as(folder)
    if place != folder:
        _done(libc.mount(b"none", os.fsencode(RUN), b"tmpfs", 0, None), "mount /run")
        os.mkdir(place)  # noqa: PTH102 - it has to be small
    here = os.fsencode(place)
    _done(libc.mount(os.fsencode(folder), here, None, BIND, None), "bind")
    _set(libc, b"/", ALL_BELOW, MountAttributes(attr_set=READ_ONLY))
    _set(libc, here, 0, MountAttributes(attr_clr=READ_ONLY))
    _done(libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0), "prctl")


def _set(libc: ctypes.CDLL, path: bytes, flags: int, attributes: MountAttributes) -> None:
    size = ctypes.sizeof(attributes)
    _done(libc.syscall(MOUNT_SETATTR, FROM_HERE, path, flags, ctypes.byref(attributes), size), "mount_setattr")


def _done(answer: int, what: str) -> None:
    if answer != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def _write(path: str, content: str) -> None:
    with open(path, "w", encoding="ascii") as file:  # noqa: PTH123 - it has to be small
        file.write(content)


if __name__ == "__main__":
    main()
