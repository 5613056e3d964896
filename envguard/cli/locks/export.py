"""`envguard export`: a lock in another form, for other installers or for a machine without network."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer
from packaging.utils import parse_wheel_filename

from envguard.backends.table import HOST
from envguard.backends.wheelhouse import Besides, write_wheelhouse
from envguard.catalog import Environment, builtin_catalog
from envguard.cli.environments.ready import prepare
from envguard.cli.options import EditionOption, EnvironmentArgument, FrozenOption, PythonOption
from envguard.cli.screen import screen
from envguard.cli.selection import Selection, catalog_of, chosen_editions, chosen_environments, for_each
from envguard.cli.session import Session
from envguard.cli.workshop import open_workshop
from envguard.errors import BadInput, NoEnvironment
from envguard.files import check_place, write_output
from envguard.host.platform import marker_environment, supported_tags
from envguard.host.variables import installer_variables
from envguard.locks.lockfile import Lock
from envguard.locks.pylock import pylock_text
from envguard.locks.staleness import StaleLock
from envguard.locks.targets import Target, target_of
from envguard.locks.wheels import PinnedWheel, best_wheels, missing_wheels
from envguard.planning import Candidate, best_interpreter, request_of, stale_for
from envguard.running.contents.bills import bill_of, written_bill
from envguard.running.environments.building import packages_of
from envguard.running.environments.locking import wheel_addresses
from envguard.running.environments.own.wheels import OwnWheel, own_wheels_of
from envguard.running.environments.places.wheels import place_of_package
from envguard.running.environments.preparing import Workshop
from envguard.running.environments.recorded import recorded_locks, refuse_unlocked
from envguard.store.home import envguard_home


class Format(str, Enum):
    """What an export can be."""

    REQUIREMENTS = "requirements"
    PYLOCK = "pylock"
    WHEELHOUSE = "wheelhouse"
    CYCLONEDX = "cyclonedx"
    SPDX = "spdx"

    @property
    def is_bill(self) -> bool:
        """Whether it is a bill of materials, of what is installed here; the others cover every platform."""
        return self in (Format.CYCLONEDX, Format.SPDX)


def export(
    ctx: typer.Context,
    name: EnvironmentArgument,
    form: Annotated[Format, typer.Option("--format", help="What to write.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="Default: standard output; for a wheelhouse, ENV-EDITION-cp3XX-wheels. For a tar, end PATH in .tar.",
        ),
    ] = None,
    edition: EditionOption = None,
    python: PythonOption = None,
    platform: Annotated[
        str | None,
        typer.Option(metavar="TAG", help="Wheels for another platform, such as manylinux_2_28_aarch64 or win_amd64."),
    ] = None,
    bare: Annotated[bool, typer.Option("--bare", help="Leave out the comments of requirements.")] = False,
    frozen: FrozenOption = False,
) -> None:
    """Write a lock as requirements with hashes, pylock.toml (PEP 751), a folder of its wheels, or a bill of materials.

    A bill of materials, CycloneDX 1.6 or SPDX 2.3 in JSON, is of the packages that the environment has on this host,
    with their licenses; it is built first if it is not ready.

    Install a wheelhouse without network with `--offline --find-links FOLDER`, or in an environment of yours with uv:
    uv pip install --offline --no-index --find-links FOLDER --no-deps --require-hashes -r FOLDER/requirements.txt
    """
    catalog = catalog_of(ctx.obj)
    (environment,) = chosen_environments(catalog, [name])
    if platform and form is not Format.WHEELHOUSE:
        raise BadInput(
            "--platform works only for a wheelhouse.",
            next_step="Leave it out: the other formats cover every platform; a bill of materials is of this one.",
        )
    if bare and form is not Format.REQUIREMENTS:
        raise BadInput("--bare works only for requirements.", next_step="Leave it out.")
    if output is not None and not (form is Format.WHEELHOUSE and output.is_dir()):
        check_place(output.absolute())
    if form.is_bill:
        selection = Selection(name, for_each([name], edition), for_each([name], python), frozen=frozen)
        _write(_bill(ctx.obj, selection, form.value), output)
        return
    with screen() as receive:
        workshop = open_workshop(ctx.obj, catalog, receive, Selection(name, for_each([name], edition), frozen=frozen))
        lock = lock_of_choice(workshop, environment, edition, python)
        if form is Format.WHEELHOUSE:
            place = output or Path(f"{name}-{lock.edition}-cp{lock.python.replace('.', '')}-wheels")
            _write_wheelhouse(ctx.obj, workshop, lock, platform, place.absolute())
            return
    if lock.own:
        names = ", ".join(each.name for each in lock.own)
        typer.echo(f"Not in it is the project's own code ({names}), which is in a wheelhouse.", err=True)
    text = _pylock(workshop, environment, lock) if form is Format.PYLOCK else lock.bare_text() if bare else lock.text()
    _write(text, output)


def lock_of_choice(workshop: Workshop, environment: Environment, edition: str | None, python: str | None) -> Lock:
    """The lock that is asked for; which Pythons this host has matters only where none is named."""
    if python is None:
        return workshop.plan(environment.name).chosen.lock
    locks = recorded_locks(environment)
    (wanted,) = chosen_editions(environment, edition)
    if (wanted.name, python) not in locks:
        refuse_unlocked(environment)
        known = [minor for name, minor in locks if name == wanted.name]
        raise BadInput(
            f"{environment.name} {wanted.name} has no lock for Python {python}.",
            next_step=f"Choose one of: {', '.join(known)}." if known else f"envguard lock {environment.name}",
        )
    lock = locks[wanted.name, python]
    stale = stale_for(environment, wanted, python, lock)
    if stale and not workshop.frozen:
        raise StaleLock(request_of(environment, wanted, python), stale)
    return lock


def _bill(session: Session, selection: Selection, form: str) -> str:
    bill = bill_of(prepare(session, selection)[1])
    with screen() as receive:
        return written_bill(bill, form, open_workshop(session, builtin_catalog(), receive)).decode()


def _pylock(workshop: Workshop, environment: Environment, lock: Lock) -> str:
    places = {each.address: place_of_package(each, lock, environment) for each in lock.packages if each.address}
    return pylock_text(lock, wheel_addresses(lock, workshop.sources, envguard_home()), places)


def _write_wheelhouse(session: Session, workshop: Workshop, lock: Lock, platform: str | None, target: Path) -> None:
    to = _target(workshop, lock, platform)
    wheels, code = _wheels(lock, to), _code(workshop, lock, to)
    built = workshop.own_wheels(replace(lock, packages=tuple(each.package for each in wheels)))
    whole = replace(lock, packages=(*lock.packages, *(each.package for each in code)))
    all_wheels = [*wheels, *(PinnedWheel(each.package, each.package.wheels[0]) for each in code)]
    builders = [best_wheels(replace(lock, packages=packages_of(each.tools)), to.tags, to.markers) for each in lock.own]
    tools = open_workshop(session, builtin_catalog(), workshop.receive).prepare("pip")
    variables = installer_variables(workshop.sources)
    write_wheelhouse(
        target, whole, all_wheels, pip_python=tools.built.layout.python, variables=variables,
        besides=Besides((*built, *(each.path for each in code)), builders),
    )  # fmt: skip
    more = ", and those that build the project's own code" if code else ""
    typer.echo(f"{target}: {len(all_wheels)} wheels{more}")


def _target(workshop: Workshop, lock: Lock, platform: str | None) -> Target:
    """The platform that wheels are for."""
    if platform is not None:
        return target_of(platform, lock.python)
    interpreter = best_interpreter(workshop.host.interpreters, lock.python)
    if interpreter is None:
        raise BadInput(
            f"This host has no Python {lock.python} to take the platform from.",
            next_step="Name the platform, for example --platform manylinux_2_28_x86_64.",
        )
    return Target(supported_tags(interpreter), marker_environment(interpreter))


def _code(workshop: Workshop, lock: Lock, target: Target) -> tuple[OwnWheel, ...]:
    """The wheels of the project's own code; raises NoEnvironment if one is not for the platform."""
    if not lock.own:
        return ()
    environment = workshop.catalog.environments[lock.environment]
    workshop.require_allowed(environment.folder)
    edition, python = environment.edition(lock.edition), best_interpreter(workshop.host.interpreters, lock.python)
    if edition is None or python is None:
        raise NoEnvironment(
            f"The project's own code cannot be built for Python {lock.python}, which this host does not have.",
            next_step=f"Install Python {lock.python}, or choose another with --python.",
        )
    candidate = workshop.with_code(Candidate(environment, edition, lock, python, HOST))
    found = own_wheels_of(candidate, workshop.builder(environment.name))
    for each in found:
        if not parse_wheel_filename(each.path.name)[3] & frozenset(target.tags):
            raise NoEnvironment(
                f"The wheel {each.path.name} of the project's own code is not for that platform.",
                why="it has native code, which was compiled for this one",
                next_step="Write the wheelhouse on a machine of that platform.",
            )
    return found


def _wheels(lock: Lock, target: Target) -> tuple[PinnedWheel, ...]:
    """The wheels for a platform; raises NoEnvironment that names the packages which have none for it."""
    missing = missing_wheels(lock, frozenset(target.tags), target.markers)
    if missing:
        raise NoEnvironment(
            f"{lock.environment} {lock.edition} is not available on that platform with Python {lock.python}.",
            why="\n".join(map(str, missing)),
            next_step="Choose another edition with --edition, or another Python with --python.",
        )
    return best_wheels(lock, target.tags, target.markers)


def _write(text: str, output: Path | None) -> None:
    if output is None:
        typer.echo(text, nl=False)
        return
    try:
        write_output(output.absolute(), text.encode())
    except OSError as error:
        raise BadInput(
            f"{output} cannot be written.", why=str(error), next_step="Name another file with -o."
        ) from error
