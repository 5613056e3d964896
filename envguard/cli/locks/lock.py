"""`envguard lock`: resolve environments and write their lock files, or check that they still resolve to the same."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

import typer
from packaging.utils import canonicalize_name

from envguard.backends.building.wheels import why_not_shut_in
from envguard.catalog.model import Catalog
from envguard.cli.locks.comparing import Chosen, refuse_unknown, show_changes, show_resolved, since_commit
from envguard.cli.options import EnvironmentsArgument, JsonOption
from envguard.cli.printing import document_text
from envguard.cli.selection import catalog_of, chosen_editions, environments_to_write_to
from envguard.clock import utc_now
from envguard.errors import BadInput, NoEnvironment
from envguard.locks.proofs import proofs_path, read_proofs
from envguard.running.environments.locking import Relocked, Relocking, relock
from envguard.store.home import envguard_home
from envguard.trust.allowing import allow_written, is_allowed, require_allowed
from envguard.trust.sources import sources_of

_ONLY_SDIST = re.compile(r"\b([A-Za-z0-9._-]+)(?:==\S+)? has no (?:usable )?wheels")
_NO_RELEASE = re.compile(r"\bno versions? of\b|\b(?:is|are) available\b")


def lock(
    ctx: typer.Context,
    names: EnvironmentsArgument = None,
    edition: Annotated[str | None, typer.Option("--edition", metavar="NAME", help="Lock only this edition.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 1 unless every lock resolves to the same bytes.")
    ] = False,
    upgrade: Annotated[bool, typer.Option("--upgrade", help="Consider everything uploaded until now.")] = False,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--upgrade-package",
            metavar="NAME",
            help="Consider everything uploaded until now for this package; others stay as they are if they can. Can be "
            "given several times.",
        ),
    ] = None,
    cut_off: Annotated[
        str | None,
        typer.Option(
            metavar="MOMENT",
            help="Consider only uploads before this moment (RFC 3339, UTC). Default: the moment in the lock, else now, "
            "so that locking twice gives the same file.",
        ),
    ] = None,
    diff: Annotated[
        bool,
        typer.Option(
            "--diff",
            help="Write nothing; show how the locks differ from those in Git's HEAD, or, with --upgrade, "
            "--upgrade-package or --cut-off, what that would change.",
        ),
    ] = False,
    against: Annotated[
        str | None, typer.Option(metavar="COMMIT", help="With --diff: compare with this commit instead of HEAD.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Resolve environments with uv for all platforms and write lockfiles/ENVIRONMENT/EDITION/cp3XX.txt.

    --diff is to be read in a review: what was added, removed and changed, together for the Pythons that changed alike.

    Exit codes: 0 done; 1 --check found a difference; 3 something cannot be resolved.
    """
    _refuse_together(check, upgrade, cut_off is not None, bool(only))
    resolving = upgrade or cut_off is not None or bool(only)
    _refuse_idle(against is not None, diff, resolving, check)
    catalog = catalog_of(ctx.obj)
    chosen = [
        (environment, each)
        for environment in environments_to_write_to(catalog, names)
        for each in chosen_editions(environment, edition, every=True)
    ]
    if diff and not resolving:
        show_changes(since_commit(chosen, against or "HEAD"), f"{against or 'HEAD'} with now", as_json=as_json)
        return
    # It names an index, how to reach one, or an address; or something of it is built.
    if catalog.declared is not None or any(each.folder == catalog.project and each.reaches_out for each, _ in chosen):
        require_allowed(catalog)
    how = Relocking(
        environ=sources_of(catalog, ctx.obj.environ),
        home=envguard_home(),
        cut_off=utc_now() if upgrade or only else cut_off,
        check=check or diff,
        only=frozenset(map(canonicalize_name, only or ())),
        anew=upgrade,
    )
    refuse_unknown(how.only, chosen)
    found = _relocked(catalog, chosen, how, quiet=as_json or diff)
    if diff:
        show_resolved(found, as_json=as_json)
        return
    _say(found, as_json=as_json)
    _judge(found, check=check)


def _relocked(catalog: Catalog, chosen: Chosen, how: Relocking, *, quiet: bool) -> list[Relocked]:
    """Lock each edition for each of its Pythons; says what came of it, unless it is to be quiet."""
    trusted = is_allowed(catalog) and not catalog.allowed
    found = []
    for environment, edition in chosen:
        proofs = read_proofs(proofs_path(environment.lockfiles, environment.name, edition.name))
        for python in edition.pythons:
            relocked = relock(environment, edition, python, proofs, how)
            found.append(relocked)
            if trusted and relocked.state == "written" and environment.folder == catalog.project:
                allow_written(environment.folder, relocked.path)
            if not quiet:
                typer.echo(_text(relocked))
    return found


def _refuse_together(*given: bool) -> None:
    if sum(given) > 1:
        raise BadInput(
            "--check, --upgrade, --upgrade-package and --cut-off exclude each other.", next_step="Keep one of them."
        )


def _refuse_idle(against: bool, diff: bool, resolving: bool, check: bool) -> None:
    if (against and (not diff or resolving)) or (diff and check):
        raise BadInput("--against is for --diff alone, and --check has no --diff.", next_step="Leave one of them out.")


def _say(found: Sequence[Relocked], *, as_json: bool) -> None:
    """Print what is left to say of all of them together."""
    changed = list(dict.fromkeys(each.path.parts[-3] for each in found if each.state == "written"))
    if changed and not as_json:
        typer.echo(
            f"These locks are not proved yet. Next: envguard prove {' '.join(changed)} --all-editions --all-pythons"
        )
    if as_json:
        typer.echo(document_text({"locks": [_document(each) for each in found]}))


def _judge(found: list[Relocked], *, check: bool) -> None:
    bad = [each for each in found if not each.holds]
    if bad and check:
        raise typer.Exit(1)
    if bad:
        raise NoEnvironment(
            f"{len(bad)} of {len(found)} locks could not be made.",
            why="\n".join(f"{_name(each)}: {each.why}" for each in bad),
            next_step=_advice(
                "\n".join(each.why for each in bad), next((each.limit for each in bad if each.limit), "")
            ),
        )


def _advice(why: str, limit: str) -> str:
    """What to do about requirements that have no solution, by what the resolver says."""
    change = "change the requirements in the catalog, or record the failure with `envguard prove`."
    sdist = _ONLY_SDIST.search(why)
    if sdist is not None:
        return f'Let the sdist be built, with build = ["{sdist[1]}"] in the edition. Or {change}'
    if limit and _NO_RELEASE.search(why):
        return f"`envguard lock --upgrade` counts what was uploaded after {limit}, too. Or {change}"
    return change[0].upper() + change[1:]


def _text(relocked: Relocked) -> str:
    count = f", {relocked.packages} packages" if relocked.packages else ""
    lines = [f"{_name(relocked)}: {relocked.state}{count}", *(f"  {change}" for change in relocked.changes)]
    if relocked.built:
        lines.append(f"  built from their sdists: {', '.join(relocked.built)}{_unguarded()}")
    lines += [f"  {line}" for line in (*relocked.why.splitlines(), *relocked.late)]
    if relocked.late:
        lines.append("  The lock stays as it is; `envguard lock --upgrade` makes one with these.")
    return "\n".join(lines)


def _unguarded() -> str:
    why = why_not_shut_in()
    return f" (not kept from the network and from your files: {why})" if why else ""


def _name(relocked: Relocked) -> str:
    """lockfiles/ENVIRONMENT/EDITION/cp3XX.txt, wherever that lies."""
    return "/".join(relocked.path.parts[-4:])


def _document(relocked: Relocked) -> dict[str, object]:
    return {
        "path": _name(relocked),
        "state": relocked.state,
        "packages": relocked.packages,
        "changes": list(relocked.changes),
        "why": relocked.why,
        "late": list(relocked.late),
        "built": list(relocked.built),
    }
