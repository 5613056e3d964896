"""Environments that were broken in the ways people break them: named by the root, and mended by typing the cure."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.offline import Offline

WORKS = "import user, base, base_data"


def info(environment: Offline, name: str) -> Path:
    (found,) = environment.site_packages.glob(f"{name}-*.dist-info")
    return found


def a_file_is_missing(environment: Offline) -> None:
    (environment.site_packages / "base_data" / "__init__.py").unlink()


def a_file_is_changed(environment: Offline) -> None:
    (environment.site_packages / "user.py").write_text("raise SystemExit('somebody was here')\n")


def a_file_is_cut_off(environment: Offline) -> None:
    (environment.site_packages / "base.py").write_text("")


def a_record_is_gone(environment: Offline) -> None:
    (info(environment, "base") / "RECORD").unlink()


def two_versions_claim_to_be_there(environment: Offline) -> None:
    shutil.copytree(info(environment, "base"), environment.site_packages / "base-0.9.dist-info")


def two_opencvs_are_there(environment: Offline) -> None:
    environment.install("opencv-python", "opencv-python-headless")


def two_packages_own_a_file(environment: Offline) -> None:
    environment.install("one", "other")


def a_requirement_has_another_version(environment: Offline) -> None:
    environment.sh(f"uv pip install -q --python {environment.python} --no-deps base==2.0")


def a_requirement_is_missing(environment: Offline) -> None:
    environment.sh(f"uv pip uninstall -q --python {environment.python} base")


def a_pth_leads_nowhere(environment: Offline) -> None:
    (environment.site_packages / "old.pth").write_text("/nowhere/src\n")


def one_line_of_a_pth_leads_nowhere(environment: Offline) -> None:
    (environment.site_packages / "several.pth").write_text(f"# mine\n{environment.cwd}\n/nowhere/src\n")


def a_pth_has_an_error_in_its_code(environment: Offline) -> None:
    (environment.site_packages / "code.pth").write_text("import sys; exec('x' = 1)\n")


def a_pth_imports_what_is_not_there(environment: Offline) -> None:
    (environment.site_packages / "finder.pth").write_text("import __editable___gone_finder\n")


def a_pth_is_not_text(environment: Offline) -> None:
    (environment.site_packages / "binary.pth").write_bytes(b"\xff\xfe/\x00n\x00")


def pip_left_half_of_a_package(environment: Offline) -> None:
    (environment.site_packages / "base_data").rename(environment.site_packages / "~ase_data")
    (environment.site_packages / "base.py").unlink()
    info(environment, "base").rename(environment.site_packages / "~ase-1.0.dist-info")


def pip_left_a_folder(environment: Offline) -> None:
    (environment.site_packages / "~umpy.libs").mkdir()


def a_file_has_the_name_of_a_module_of_python(environment: Offline) -> None:
    (environment.cwd / "random.py").write_text("raise SystemExit('mine')\n")


def a_package_beside_the_environment_has_the_name_of_one(environment: Offline) -> None:
    (environment.folder.parent / "base_data").mkdir()
    (environment.folder.parent / "base_data" / "__init__.py").touch()


def nobody_may_write(environment: Offline) -> None:
    environment.site_packages.chmod(0o555)


def the_environment_was_moved(environment: Offline) -> None:
    new = environment.folder.with_name("moved")
    environment.folder.rename(new)
    environment.folder, environment.python = new, new / "bin" / "python"


def its_settings_are_lost(environment: Offline) -> None:
    (environment.folder / "pyvenv.cfg").unlink()


def every_start_runs_code_with_an_error(environment: Offline) -> None:
    (environment.site_packages / "sitecustomize.py").write_text("import gone_module\n")


def a_package_is_a_link_to_nothing(environment: Offline) -> None:
    (environment.site_packages / "linked").symlink_to("/nowhere/linked")


def a_package_is_for_another_python(environment: Offline) -> None:
    metadata, record = info(environment, "user") / "METADATA", info(environment, "user") / "RECORD"
    metadata.write_text(metadata.read_text() + "Requires-Python: <3\n")
    rows = record.read_text().splitlines()
    record.write_text("".join(f"{row.partition(',')[0]},,\n" if "METADATA" in row else f"{row}\n" for row in rows))


WAYS: list[tuple[Callable[[Offline], None], str]] = [
    (a_file_is_missing, "files missing"),
    (a_file_is_changed, "files changed"),
    (a_file_is_cut_off, "files changed"),
    (a_record_is_gone, "record"),
    (two_versions_claim_to_be_there, "installed twice"),
    (two_opencvs_are_there, "relatives"),
    (two_packages_own_a_file, "owned twice"),
    (a_requirement_has_another_version, "requirements"),
    (a_requirement_is_missing, "requirements"),
    (a_pth_leads_nowhere, "pth"),
    (one_line_of_a_pth_leads_nowhere, "pth"),
    (a_pth_has_an_error_in_its_code, "pth"),
    (a_pth_imports_what_is_not_there, "pth"),
    (a_pth_is_not_text, "pth"),
    (pip_left_half_of_a_package, "half removed"),
    (pip_left_a_folder, "half removed"),
    (a_file_has_the_name_of_a_module_of_python, "own file"),
    (a_package_beside_the_environment_has_the_name_of_one, "own file"),
    (nobody_may_write, "read-only"),
    (the_environment_was_moved, "moved"),
    (its_settings_are_lost, "pyvenv.cfg"),
    (every_start_runs_code_with_an_error, "start"),
    (a_package_is_a_link_to_nothing, "link"),
    (a_package_is_for_another_python, "requirements"),
]


@pytest.mark.parametrize(("broken", "check"), WAYS, ids=lambda value: getattr(value, "__name__", ""))
def test_what_is_broken_is_named_first_and_its_cure_mends_it(
    environment: Offline, broken: Callable[[Offline], None], check: str
) -> None:
    broken(environment)
    found = environment.findings()
    assert [each.check for each in found[:1]] == [check], found
    environment.cure(found[0], then=f"{environment.python} -c '{WORKS}'")
    assert environment.findings() == []


@pytest.mark.parametrize("broken", [a_record_is_gone, the_environment_was_moved])
def test_pip_mends_it_where_the_environment_has_pip(with_pip: Offline, broken: Callable[[Offline], None]) -> None:
    broken(with_pip)
    found = with_pip.findings()[0]
    assert "-m pip " in " ".join(found.commands)
    with_pip.cure(found, then=f"{with_pip.python} -c '{WORKS}'")
    assert with_pip.findings() == []


def test_uv_mends_a_pip_that_lacks_a_part_of_itself(with_pip: Offline) -> None:
    shutil.rmtree(with_pip.site_packages / "pip" / "_vendor")
    (found,) = with_pip.findings()
    assert found.commands[0].startswith("uv pip install")
    with_pip.cure(found, then=f"{with_pip.python} -m pip --version")


def test_an_environment_without_any_folder_for_packages_is_found(environment: Offline) -> None:
    shutil.rmtree(environment.site_packages)
    assert [each.check for each in environment.findings()] == ["base Python"]


@pytest.mark.parametrize("name", ["PYTHONHOME", "PIP_TARGET", "PIP_PREFIX"])
def test_a_variable_that_leads_python_or_pip_elsewhere_is_found(environment: Offline, name: str) -> None:
    environment.environ[name] = "/nowhere"
    (found,) = environment.findings()
    assert found.commands == (f"unset {name}",)


def test_a_whole_environment_has_no_finding(environment: Offline) -> None:
    assert environment.findings() == []


def test_two_opencvs_are_all_that_is_said_of_their_files(environment: Offline) -> None:
    environment.install("opencv-python", "opencv-python-headless")
    (environment.site_packages / "cv2" / "__init__.py").write_text("")
    assert [each.check for each in environment.findings()] == ["relatives"]
