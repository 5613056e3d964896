"""`envguard store list|verify|prune|gc`: what is built on this host, whether it is whole, and what it takes on disk."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from envguard.backends.installers.choosing import chosen_tool
from envguard.backends.installers.settings import Installer
from envguard.backends.installing import forget
from envguard.cli.options import DryRunOption, JsonOption
from envguard.cli.printing import document_text
from envguard.cli.screen import screen
from envguard.cli.selection import catalog_of
from envguard.cli.session import Session
from envguard.cli.text import printable
from envguard.cli.workshop import open_workshop
from envguard.errors import BadInput
from envguard.host.variables import installer_variables
from envguard.running.environments.recorded import prune_unneeded
from envguard.running.environments.repairing import Repair, repair
from envguard.store.built import kept_files
from envguard.store.fingerprint import MARKER
from envguard.store.home import envguard_home, installer_cache
from envguard.store.inventory import (
    StoredEnvironment,
    disk_bytes,
    environment_folders,
    goes_by,
    inventory,
    moment,
    name_of,
)
from envguard.store.locking import is_being_built
from envguard.store.pythons import stored_pythons
from envguard.store.removing import Sweep, collect
from envguard.store.results.kept import kept_results
from envguard.store.scratch import logs_folder
from envguard.store.verifying import Defect, condemn, verify_environment
from envguard.table_reader import unknown_name

FINDINGS_SHOWN = 10
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kMGT]?)(i?)B?", re.IGNORECASE)


def list_store(as_json: JsonOption = False) -> None:
    """Show what is built: its size, when it was built and last used, and whether it is ready."""
    home = envguard_home()
    rows, total, cache = inventory(home), disk_bytes([home]), disk_bytes([installer_cache(home)])
    pythons, kept, results = stored_pythons(home), list(kept_files(home)), list(kept_results(home))
    if as_json:
        document = {
            "environments": [row.as_json() for row in rows],
            "pythons": [each.as_json() for each in pythons],
            "kept": [{**each.as_json(), "last_used": moment(each.used)} for each in kept],
            "results": [{**each.as_json(), "last_used": moment(each.used)} for each in results],
            "cache_bytes": cache,
            "total_bytes": total,
        }
        typer.echo(document_text({"home": str(home), **document}))
        return
    for row in rows:
        typer.echo(_row(row))
    for each in pythons:
        typer.echo(_safe(f"{each.folder.name}: fetched, {_megabytes(each.bytes)}, for {_names(each.environments)}"))
    if kept:
        names = ", ".join(sorted({each.path.name for each in kept if each.kind == "wheel"}))
        typer.echo(_safe(f"built from sdists: {names or 'nothing'}; {_megabytes(sum(each.bytes for each in kept))}"))
    if results:
        typer.echo(f"results of {len(results)} steps: {_megabytes(sum(each.bytes for each in results))}")
    typer.echo(f"{len(rows)} environments; with the package cache ({_megabytes(cache)}) {_megabytes(total)} in {home}")


def verify(
    ctx: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Environments; all if none.")] = None,
    mend: Annotated[bool, typer.Option("--repair", help="Rebuild damaged environments from their own locks.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Compare every byte of the built environments with what was proved.

    Exit codes: 0 everything is intact or was repaired; 1 something is damaged.
    """
    results: list[tuple[Path, tuple[Defect, ...], Repair | None]] = []
    for folder in _chosen(envguard_home(), names or []):
        if not (folder / MARKER).exists() and is_being_built(folder):
            typer.echo(f"{folder.name}: is being built", err=True)
            continue
        findings = verify_environment(folder)
        condemn(folder, findings)
        if not as_json:
            _show_findings(folder, findings)
        repaired = _repair(ctx.obj, folder) if findings and mend else None
        if repaired is not None and not as_json:
            typer.echo(f"  {_repair_text(repaired)}")
        results.append((folder, findings, repaired))
    healthy = all(not findings or (repaired is not None and not repaired.why) for _, findings, repaired in results)
    if as_json:
        documents = [_verified(*result) for result in results]
        typer.echo(document_text({"healthy": healthy, "environments": documents}))
    raise typer.Exit(0 if healthy else 1)


def prune_store(ctx: typer.Context, dry_run: DryRunOption = False, as_json: JsonOption = False) -> None:
    """Remove what no run will use again: unfinished, changed and outdated environments, old scratch, builds, logs."""
    sweep = prune_unneeded(envguard_home(), catalog_of(ctx.obj), dry_run=dry_run)
    _show_sweep(sweep, dry_run=dry_run, as_json=as_json)


def collect_store(
    ctx: typer.Context,
    max_size: Annotated[
        str, typer.Option("--max-size", metavar="SIZE", help="The size to shrink to, such as 2GB, 500MB or 1.5GiB.")
    ],
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Shrink the store to a size: clear the package cache if that is enough, else remove the least recently used."""
    home, limit = envguard_home(), parse_size(max_size)
    variables, cache, logs = installer_variables(ctx.obj.environ), installer_cache(home), logs_folder(home)
    sweep = collect(
        home,
        limit,
        clear_cache=lambda: forget((), Installer(chosen_tool(ctx.obj.environ).uv, variables, cache, logs)),
        dry_run=dry_run,
    )
    _show_sweep(sweep, dry_run=dry_run, as_json=as_json)
    raise typer.Exit(0 if sweep.bytes_left <= limit else 1)


def parse_size(text: str) -> int:
    """A size in bytes: `2GB` is 2×10⁹, `2GiB` 2×2³⁰; raises BadInput."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise BadInput(
            f"{text!r} is not a valid size.", next_step="Write a number and a unit, such as 2GB, 500MB or 1.5GiB."
        )
    number, unit, binary = match.groups()
    power = " kmgt".index(unit.lower()) if unit else 0
    return int(float(number) * (1024 if binary else 1000) ** power)


def _chosen(home: Path, names: list[str]) -> list[Path]:
    """The environments' folders by the environment's name or the folder's; all if none is named."""
    folders = environment_folders(home)
    for name in names:
        if not any(goes_by(folder, name) for folder in folders):
            if not folders:
                raise BadInput("No environment is built yet.", next_step="Build one: envguard create ENV.")
            raise unknown_name("Nothing is built of an environment", name, dict.fromkeys(map(name_of, folders)))
    return [folder for folder in folders if not names or any(goes_by(folder, name) for name in names)]


def _repair(session: Session, folder: Path) -> Repair:
    with screen() as receive:
        return repair(folder, open_workshop(session, catalog_of(session), receive))


def _verified(folder: Path, findings: tuple[Defect, ...], repaired: Repair | None) -> dict[str, object]:
    return {
        "name": name_of(folder),
        "folder": str(folder),
        "findings": [finding.as_json() for finding in findings],
        "repair": repaired.as_json() if repaired else None,
    }


def _row(row: StoredEnvironment) -> str:
    identity = row.identity
    what = row.name
    if identity:
        what += f" {identity.edition} on Python {identity.python_version}, lock {identity.lock[:12]}"
    state = f"not ready, {row.why_not}" if row.why_not else "ready"
    times = f"built {row.built or 'at an unknown time'}, last used {moment(row.used)}"
    return _safe(f"{what}: {state}\n  {_megabytes(row.bytes)}, {times}\n  {row.folder}")


def _names(environments: tuple[str, ...]) -> str:
    return ", ".join(environments) or "no environment"


def _show_findings(folder: Path, findings: tuple[Defect, ...]) -> None:
    if not findings:
        typer.echo(_safe(f"{folder.name}: whole"))
        return
    typer.echo(_safe(f"{folder.name}: {len(findings)} findings"))
    for finding in findings[:FINDINGS_SHOWN]:
        typer.echo(_safe(f"  {finding.problem}: {finding.path}: {finding.evidence}"))
    if len(findings) > FINDINGS_SHOWN:
        typer.echo(f"  and {len(findings) - FINDINGS_SHOWN} more; --json has them all")


def _repair_text(repaired: Repair) -> str:
    if repaired.why:
        return _safe(f"not repaired: {repaired.why}")
    if repaired.differing:
        shown = ", ".join(repaired.differing[:FINDINGS_SHOWN])
        return _safe(f"rebuilt and proved; {len(repaired.differing)} files are not what they were: {shown}")
    known = "identical, byte for byte" if repaired.identical else "there was no intact manifest to compare it with"
    return f"rebuilt and proved; {known}"


def _show_sweep(sweep: Sweep, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        typer.echo(document_text({"dry_run": dry_run, **sweep.as_json()}))
        return
    verb = "would remove" if dry_run else "removed"
    for each in sweep.removed:
        typer.echo(_safe(f"{verb} {each.path} ({_megabytes(each.bytes)}): {each.why}"))
    for each in sweep.spared:
        typer.echo(_safe(f"left {each.path} ({_megabytes(each.bytes)}): {each.why}"))
    freed = sum(each.bytes for each in sweep.removed)
    typer.echo(f"{verb} {_megabytes(freed)}; {_megabytes(sweep.bytes_left)} {'would be' if dry_run else 'are'} left")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"


def _safe(text: str) -> str:
    return printable(text)
