"""Who else than the user could change what a path leads to: every folder and link on the way is asked, and the file.

Every start of a ready environment imports this module, so it only imports what Python has already loaded.
"""

from __future__ import annotations

import os
import stat
import sys

if sys.platform != "win32":
    import grp
    import pwd

TYPE_CHECKING = False  # typing's own costs 3 ms to import
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

MOST_LINKS = 40


def owners(environ: Mapping[str, str]) -> frozenset[int]:
    """Whose files may be used: the user's, root's, and for root those of the user who called sudo."""
    if sys.platform == "win32":
        return frozenset()
    mine = {0, os.geteuid()}
    if os.geteuid() == 0 and environ.get("SUDO_UID", "").isdecimal():
        mine.add(int(environ["SUDO_UID"]))
    return frozenset(mine)


def stranger(path: str, mine: Collection[int], *, shared: bool = True) -> str:
    """Why somebody else could change or replace what is at a path, in words; empty if nobody can.

    `mine` are the numbers of the users that count as oneself. In a folder where all may write but only owners may
    delete (the sticky bit), nobody can replace what is there; the last folder may be one only if it may be `shared`.
    What does not exist yet is judged by the folder that it would be made in. Always empty on Windows, where access
    lists decide.
    """
    if sys.platform == "win32":
        return ""
    here, rest, links = "/", os.path.abspath(path).split("/")[::-1], 0
    while rest:
        part = rest.pop()
        if part in ("", "."):
            continue
        if part == "..":
            here = os.path.dirname(here)
            continue
        place = os.path.join(here, part)
        try:
            found = os.lstat(place)
        except OSError:  # not there, or not to be seen: then nothing can be read from there either
            return ""
        if stat.S_ISLNK(found.st_mode):
            links += 1
            if found.st_uid not in mine:
                return f"the link {place} belongs to another user (number {found.st_uid})"
            if links > MOST_LINKS:
                return f"{path} leads through too many links"
            target = os.readlink(place)
            rest += target.split("/")[::-1]
            here = "/" if target.startswith("/") else here
            continue
        why = _why(place, found, mine, sticky=shared or any(each not in ("", ".") for each in rest))
        if why:
            return why
        here = place
    return ""


def _why(place: str, found: os.stat_result, mine: Collection[int], *, sticky: bool) -> str:
    mode = found.st_mode
    if found.st_uid not in mine:
        return f"{place} belongs to another user (number {found.st_uid})"
    if sticky and stat.S_ISDIR(mode) and mode & stat.S_ISVTX:
        return ""
    if mode & stat.S_IWOTH:
        return f"every user can write to {place}"
    if mode & stat.S_IWGRP and not _is_private(found.st_gid, found.st_uid):
        return f"the users of group {found.st_gid} can write to {place}"
    return ""


def _is_private(group: int, user: int) -> bool:
    """Whether a group is its user's alone, as many systems give every user one."""
    if sys.platform != "win32":
        try:
            members, name = grp.getgrgid(group), pwd.getpwuid(user)
        except KeyError:
            return False
        return name.pw_gid == group and members.gr_name == name.pw_name and set(members.gr_mem) <= {name.pw_name}
    return True
