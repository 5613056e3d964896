"""What tells of a lock, and what of the host, its network, its disk or its index: only the former is ever recorded."""

from __future__ import annotations

import re

# What programs say where the machine, its disk or the network failed them, whichever package they come from.
_OF_THE_HOST = re.compile(
    r"No space left on device|Disk quota exceeded|Input/output error|Read-only file system|Stale file handle"
    r"|Cannot allocate memory|MemoryError|out of memory|more memory than|Too many open files|Permission denied"
    r"|Resource temporarily unavailable|os error \d+|\[Errno (?:5|12|13|23|24|28|30|122)\]"
    r"|name resolution|Name or service not known|nodename nor servname|Network is unreachable|No route to host"
    r"|Connection (?:refused|reset|aborted|timed out)|timed out|timeout|Max retries exceeded|RemoteDisconnected"
    r"|ProxyError|Proxy Authentication|SSLError|CERTIFICATE_VERIFY_FAILED|URLError|HTTP Error [45]\d\d"
    r"|HTTP status (?:client|server) error|Failed to (?:fetch|download)|[Hh]ash mismatch"
    r"|was ended by (?:SIGKILL|SIGTERM|SIGINT|SIGHUP|SIGQUIT|SIGXCPU|SIGXFSZ|SIGPIPE|SIGUSR1|SIGUSR2|SIGALRM)"
)
# uv's words once a wheel with the right hash is here and cannot be installed.
_OF_A_WHEEL = re.compile(r"Failed to install|is invalid|Invalid wheel|wheel filename")
# Python's words where no installed file is the module that something imports, whatever computes.
_OF_FILES = re.compile(r"ModuleNotFoundError: No module named")
# uv's words where an index names no fitting file of a package, whatever else the index may have.
_NOTHING_OF = re.compile(r"there (?:is no version|are no versions) of ([A-Za-z0-9][A-Za-z0-9._-]*)")


def says_nothing_of_the_lock(said: str) -> bool:
    """Whether a failed check or installation may be the host's, the network's or the index's fault."""
    return _OF_THE_HOST.search(said) is not None


def blames_a_wheel(said: str) -> bool:
    """Whether uv's words say that a wheel itself, the one that was locked, cannot be installed."""
    return _OF_A_WHEEL.search(said) is not None and not says_nothing_of_the_lock(said)


def tells_of_files(said: str) -> bool:
    """Whether a failed check says that the wheels lack a module, which no processor and no emulator has a part in."""
    return _OF_FILES.search(said) is not None


def missing_packages(said: str) -> tuple[str, ...]:
    """The packages of which, by uv's words, the index has no fitting version."""
    return tuple(dict.fromkeys(_NOTHING_OF.findall(" ".join(said.split()))))
