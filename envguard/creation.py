"""What envguard creates, nobody else may write to, whatever the user's umask; the user's own commands get that back.

Every start imports this module, so it only imports what Python has already loaded.
"""

from __future__ import annotations

import os

OTHERS_MAY_NOT_WRITE = 0o022
_before: list[int] = []


def keep_others_from_writing() -> None:
    """From now on, no file or folder is created that the user's group or everybody may write to."""
    users = os.umask(OTHERS_MAY_NOT_WRITE)
    os.umask(users | OTHERS_MAY_NOT_WRITE)
    _before.append(users)  # the first is the user's


def as_the_user_has_it() -> None:
    """In a child that becomes the user's own command: the umask that envguard was started with."""
    if _before:
        os.umask(_before[0])
