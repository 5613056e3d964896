"""The deep check sees every damage; the check of every start sees what can be seen without reading."""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from envguard.running.environments.repairing import repair
from envguard.store.environments import read_ready
from envguard.store.fingerprint import FINGERPRINT, MARKER, why_changed
from envguard.store.manifest import MANIFEST, Entry, differing, parse_manifest
from envguard.store.marker import read_marker
from envguard.store.verifying import verify_environment
from tests.support.built import IDENTITY, Builder
from tests.support.environments import workshop
from tests.support.tiny import Tiny

CORRUPTIONS = 100


def delete(path: Path, _points: random.Random) -> None:
    path.unlink()


def truncate(path: Path, points: random.Random) -> None:
    os.truncate(path, points.randrange(path.stat().st_size))


def flip_a_byte(path: Path, points: random.Random) -> None:
    """One byte, with size and time as they were: what a failing disk does."""
    before = path.stat()
    content = bytearray(path.read_bytes())
    content[points.randrange(len(content))] ^= 1 << points.randrange(8)
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


DAMAGES: tuple[Callable[[Path, random.Random], None], ...] = (delete, truncate, flip_a_byte)
KINDS = ("*.py", "*.so", "*.pyc", "*.dist-info/*", "bin/*")


def corruptions(folder: Path, number: int) -> list[tuple[Path, Callable[[Path, random.Random], None]]]:
    """That many files of all kinds and what to do to each; the same for the same environment."""
    points = random.Random(3)
    pools = [
        sorted(path for path in folder.rglob(kind) if path.is_file() and not path.is_symlink() and path.stat().st_size)
        for kind in KINDS
    ]
    return [(points.choice(pools[each % len(pools)]), DAMAGES[each % len(DAMAGES)]) for each in range(number)]


def found_by_content(folder: Path) -> set[Path]:
    """The damaged files; what a damaged RECORD says of sound files is left out."""
    findings = verify_environment(folder)
    return {folder / finding.path for finding in findings if finding.problem != "not as recorded"}


@pytest.mark.network
@pytest.mark.slow
def test_each_of_100_corruptions_is_found_and_nothing_else(mixed: Tiny) -> None:
    folder = mixed.ensure().folder
    spare = folder.with_name("spare")
    shutil.copytree(folder, spare, symlinks=True)
    points = random.Random(4)
    for path, damage in corruptions(folder, CORRUPTIONS):
        damage(path, points)
        assert found_by_content(folder) == {path}, damage.__name__
        shutil.copy2(spare / path.relative_to(folder), path)
    assert {finding.problem for finding in verify_environment(folder)} <= {"touched"}


@pytest.mark.network
@pytest.mark.slow
def test_a_repair_of_the_quantizer_brings_back_every_byte(tmp_path: Path, store_home: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (store_home / "uv-cache").mkdir(exist_ok=True)
    (home / "uv-cache").symlink_to(store_home / "uv-cache")
    shop = workshop(home)
    folder = shop.prepare("quantize").built.folder
    before = parse_manifest((folder / MANIFEST).read_bytes())
    points = random.Random(5)
    damaged = dict(corruptions(folder, CORRUPTIONS))
    for path, damage in damaged.items():
        damage(path, points)
    assert found_by_content(folder) == set(damaged)
    assert len(damaged) > CORRUPTIONS * 0.7  # some files were chosen twice
    repaired = repair(folder, workshop(home))
    assert (repaired.why, repaired.identical) == ("", True)
    after = parse_manifest((folder / MANIFEST).read_bytes())
    assert {name: entry.what_counts for name, entry in before.items()} == {
        name: entry.what_counts for name, entry in after.items()
    }
    assert verify_environment(folder) == ()
    shutil.rmtree(home)


@pytest.mark.network
@pytest.mark.slow
def test_what_the_installers_cache_has_damaged_is_fetched_anew(tmp_path: Path) -> None:
    home = tmp_path / "home"
    built = workshop(home).prepare("samples").built
    folder, archives = built.folder, home / "uv-cache" / "archive-v0"
    cached = next(archives.rglob("*.task"))
    os.truncate(cached, 1000)
    (built.layout.site_packages / Path(*cached.relative_to(archives).parts[1:])).unlink()
    assert repair(folder, workshop(home)).identical
    assert verify_environment(folder) == ()


@pytest.mark.network
@pytest.mark.slow
def test_the_check_of_every_start_takes_milliseconds(store_home: Path) -> None:
    folder = workshop(store_home).prepare("quantize").built.folder
    marker = read_marker(folder)
    took = []
    for _ in range(20):
        started = time.process_time()
        assert why_changed(str(folder), marker.python, marker.interpreter) == ""
        took.append(time.process_time() - started)
    assert min(took) < 0.03, "it was 0.0105 s on two idle cores"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Something that looks like an environment and is ready."""
    builder = Builder()
    folder = builder.ensure(tmp_path).folder
    assert verify_environment(folder) == ()
    return folder


@pytest.mark.parametrize(("name", "stride"), [(MARKER, 1), (FINGERPRINT, 1), (MANIFEST, 7)])
def test_state_cut_off_anywhere_means_not_ready_and_never_a_traceback(folder: Path, name: str, stride: int) -> None:
    content = (folder / name).read_bytes()
    for end in range(0, len(content), stride):
        (folder / name).write_bytes(content[:end])
        assert read_ready(folder, IDENTITY)[0] is None
        assert verify_environment(folder)


@pytest.mark.parametrize(("name", "stride"), [(MARKER, 1), (FINGERPRINT, 1), (MANIFEST, 7)])
def test_state_with_any_byte_changed_is_seen(folder: Path, name: str, stride: int) -> None:
    content = (folder / name).read_bytes()
    before = (folder / name).stat()
    for position in range(0, len(content), stride):
        changed = bytearray(content)
        changed[position] ^= 1
        (folder / name).write_bytes(changed)
        os.utime(folder / name, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert verify_environment(folder), position


def test_bytecode_that_python_3_10_cannot_repeat_is_not_compared_where_its_source_is_the_same() -> None:
    def built(bytecode: str, source: str, name: str) -> dict[str, Entry]:
        module, _, minor = name.partition(".cpython-")
        return {
            f"site/__pycache__/{module}.cpython-{minor}.pyc": Entry("file", 0o644, 1, 0, bytecode),
            f"site/{module}.py": Entry("file", 0o644, 1, 0, source),
        }

    first = built("a", "s", "one.cpython-310")
    assert differing(first, built("b", "s", "one.cpython-310")) == ()
    assert len(differing(first, built("b", "t", "one.cpython-310"))) == 2
    assert len(differing(built("a", "s", "one.cpython-311"), built("b", "s", "one.cpython-311"))) == 1
    assert differing(first, {}) == tuple(sorted(first))


@pytest.mark.parametrize("name", [MARKER, FINGERPRINT, MANIFEST])
def test_state_that_is_lost_means_a_rebuild_with_its_reason(tmp_path: Path, folder: Path, name: str) -> None:
    (folder / name).unlink()
    builder = Builder()
    assert builder.ensure(tmp_path).fresh
    expected = {
        MARKER: "an earlier build did not finish",
        FINGERPRINT: "it has no fingerprint",
        MANIFEST: f"{MANIFEST} is missing",
    }
    assert builder.reasons == [expected[name]]
    assert verify_environment(folder) == ()


def grow(folder: Path) -> None:
    with (folder / "bin" / "python").open("a") as file:
        file.write("#")


def touch(folder: Path) -> None:
    os.utime(folder / "bin" / "python", ns=(1, 1))


def add(folder: Path) -> None:
    (folder / "site" / "stray.py").write_text("")


def remove(folder: Path) -> None:
    (folder / "bin" / "python").unlink()


def lead_elsewhere(folder: Path) -> None:
    (folder / "bin" / "python").rename(folder / "other")
    (folder / "bin" / "python").symlink_to("../other")


@pytest.mark.parametrize(
    ("change", "why", "problems"),
    [
        (grow, "bin/python has changed", {"changed"}),
        (touch, "bin/python has changed", {"touched"}),
        (add, "site has changed", {"unexpected"}),
        (remove, "bin is missing", {"missing"}),
        (lead_elsewhere, "leads to", {"changed", "unexpected"}),
    ],
)
def test_a_change_is_seen_at_the_next_start_and_named(
    tmp_path: Path, folder: Path, change: Callable[[Path], None], why: str, problems: set[str]
) -> None:
    change(folder)
    assert {finding.problem for finding in verify_environment(folder)} == problems
    builder = Builder()
    assert builder.ensure(tmp_path).fresh
    assert why.removesuffix(" is missing") in builder.reasons[0]


def test_a_changed_mode_is_a_finding(folder: Path) -> None:
    (folder / "bin" / "python").chmod(0o444)
    assert verify_environment(folder) == (), "who shares a store may make it read-only"
    (folder / "bin" / "python").chmod(0o200)
    (finding,) = verify_environment(folder)
    assert (finding.problem, finding.path) == ("mode", "bin/python")
    assert "-w-------" in finding.evidence


def test_two_installations_are_a_finding_and_two_owners_of_the_same_file_are_none(tmp_path: Path) -> None:
    builder = Builder()
    plain = builder.build

    def build(folder: Path, descriptors: tuple[int, ...]):  # type: ignore[no-untyped-def]
        layout = plain(folder, descriptors)
        for name, recorded in (("one-1.0", ""), ("two-1.0", "sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU")):
            info = layout.site_packages / f"{name}.dist-info"
            info.mkdir()
            (info / "RECORD").write_text(f"shared.py,{recorded},0\n{name}.dist-info/RECORD,,\n")
        (layout.site_packages / "One-2.0.dist-info").mkdir()
        (layout.site_packages / "shared.py").write_text("")
        return layout

    builder.build = build  # type: ignore[method-assign]
    findings = verify_environment(builder.ensure(tmp_path).folder)
    assert {(finding.problem, finding.path) for finding in findings} == {
        ("installed twice", "site/one-1.0.dist-info"),
    }


def test_what_the_check_itself_changes_is_never_marked_ready(tmp_path: Path) -> None:
    from envguard.errors import NoEnvironment

    builder = Builder()
    plain = builder.prove

    def prove(layout):  # type: ignore[no-untyped-def]
        (layout.site_packages / "written.py").write_text("")
        return plain(layout)

    builder.prove = prove  # type: ignore[method-assign]
    with pytest.raises(NoEnvironment, match="changed the environment"):
        builder.ensure(tmp_path)
    assert not list((tmp_path / "environments").glob("tools-*/"))
