"""Record which ready environment a name stood for, so that the next `envguard exec` need not work it out again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from envguard.files import write_whole
from envguard.running.ready_record import TITLE, facts_of, nearest_project, record_file
from envguard.store.environments import BuiltEnvironment


def record_as_ready(
    home: Path, name: str, edition: str, environ: Mapping[str, str], ready: BuiltEnvironment, decided_by: Iterable[Path]
) -> None:
    """Record that `name`, with this edition or none, stands for this environment while these files stay as they are.

    Records nothing for an environment whose interpreter is not in its own folder.
    """
    if not ready.layout.python.is_relative_to(ready.folder):
        return
    project = nearest_project(dict(environ))
    file = Path(record_file(str(home), name, edition, project))
    interpreter = ready.identity.interpreter
    python = ready.layout.python.relative_to(ready.folder)
    head = [TITLE, f"{name}\t{edition}\t{project}", str(ready.folder), str(python), interpreter]
    watched = [f"{path}\t{facts_of(str(path))}" for path in (*decided_by, interpreter)]
    if any("\n" in line for line in (*head, *watched)):
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, "\n".join((*head, *watched)).encode())
    except OSError:  # in a store that is only to be read, or on a full disk, the next start works it out again
        return
