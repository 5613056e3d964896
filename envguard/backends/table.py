"""The backends by name, in the order in which they are tried; each is imported when it is first used."""

from __future__ import annotations

TYPE_CHECKING = False  # typing's own costs 3 ms to import, and every start of a command passes here
if TYPE_CHECKING:
    from envguard.backends.protocol import Backend

BACKENDS = {
    "venv": "envguard.backends.venv:VenvBackend",
    "container": "envguard.backends.container:ContainerBackend",
}
HOST = next(iter(BACKENDS))  # runs on this machine itself, on its own Pythons


def backend_class(name: str) -> type[Backend]:
    """The class of the backend of that name, one of `BACKENDS`."""
    import importlib  # here: every start of a command imports this module, and most need no backend

    module, _, attribute = BACKENDS[name].partition(":")
    found: type[Backend] = getattr(importlib.import_module(module), attribute)
    return found
