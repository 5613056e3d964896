"""`envguard renew` with the real index: a release of years ago is renewed, without a word of the catalog being lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.version import Version

from envguard.host.interpreters import HostFacts
from envguard.planning import minor_of
from tests.support.command import envguard
from tests.support.editions import project


@pytest.mark.network
def test_an_old_pin_is_renewed_from_the_index_that_everybody_uses(
    tmp_path: Path, store_home: Path, host: HostFacts
) -> None:
    folder = project(tmp_path, host, old="six==1.15.0", free="six>=1.10")
    before = (folder / "envguard.toml").read_text()
    ended = envguard("renew", "--json", home=store_home, cwd=folder)
    assert ended.code == 0, ended
    document = ended.document
    (environment,) = document["environments"]
    (release,) = environment["releases"]
    assert (document["schema"], document["dry_run"]) == (1, False)
    assert environment["leads_with"] == [{"package": "six", "version": "1.15.0", "edition": "old"}]
    assert Version(release["version"]) > Version("1.15.0")
    assert (release["state"], release["preferred"], release["made_from"]) == ("works", True, "old")
    assert release["trials"] == [{"python": minor_of(host.usable[0]), "result": "works", "reason": ""}]
    after = (folder / "envguard.toml").read_text()
    head, old = before.split("[environments.tools.editions.old]")
    assert after.startswith(head)
    assert after.endswith("[environments.tools.editions.old]" + old)
    listed = envguard("list", "--json", home=store_home, cwd=folder).document["environments"]
    tools = next(each for each in listed if each["name"] == "tools")
    assert (tools["edition"], tools["ready"], tools["old"]) == (release["edition"], True, False)


def test_an_environment_without_pins_and_locks_is_told_how_to_make_these(tmp_path: Path, host: HostFacts) -> None:
    folder = project(tmp_path, host, free="six>=1.10")
    ended = envguard("renew", home=tmp_path / "home", cwd=folder)
    assert ended.code == 0, ended
    assert ended.out == "tools: no edition pins a release or has locks; `envguard lock tools` makes them\n"


def test_an_edition_that_is_no_table_of_its_own_is_refused_before_anything_is_asked(
    tmp_path: Path, host: HostFacts
) -> None:
    folder = project(tmp_path, host, one="six==1.15.0")
    file = folder / "envguard.toml"
    text = file.read_text().replace("[environments.tools.editions.one]\nrequirements", "editions.one.requirements")
    file.write_text(text)
    ended = envguard("trust", home=tmp_path / "home", cwd=folder)
    assert ended.code == 0, ended
    for option in ((), ("--dry-run",)):
        ended = envguard("renew", *option, home=tmp_path / "home", cwd=folder, UV_OFFLINE="1")
        assert ended.code == 2, ended
        assert "No edition can be added to the catalog beside tools one." in ended.err
        assert "[environments.tools.editions.one]" in ended.err
        assert file.read_text() == text


def test_an_environment_that_is_not_there_is_named(tmp_path: Path) -> None:
    ended = envguard("renew", "nothing", home=tmp_path, cwd=tmp_path)
    assert (ended.code, "There is no environment 'nothing'." in ended.err) == (2, True)
