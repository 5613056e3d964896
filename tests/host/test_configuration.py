"""The files that configure pip and uv are looked for where each system has them."""

from __future__ import annotations

from pathlib import Path

from envguard.host.configuration import configuration_files

HOME, ROOT = Path("/home/me"), Path("/")


def test_macos_has_them_in_its_library_too() -> None:
    found = configuration_files({}, HOME, root=ROOT, system="darwin")
    assert Path("/home/me/Library/Application Support/pip/pip.conf") in found
    assert Path("/Library/Application Support/pip/pip.conf") in found
    assert Path("/home/me/.config/uv/uv.toml") in found


def test_windows_has_them_where_its_variables_say() -> None:
    environ = {"APPDATA": "/roaming", "PROGRAMDATA": "/everyone"}
    found = configuration_files(environ, HOME, root=ROOT, system="win32")
    for path in ("/roaming/pip/pip.ini", "/everyone/pip/pip.ini", "/home/me/pip/pip.ini"):
        assert Path(path) in found
    for path in ("/roaming/uv/uv.toml", "/everyone/uv/uv.toml", "/home/me/_netrc"):
        assert Path(path) in found
    assert Path("/etc/pip.conf") not in found


def test_linux_follows_the_users_folder_for_configuration() -> None:
    found = configuration_files({"XDG_CONFIG_HOME": "/conf"}, HOME, root=ROOT, system="linux")
    assert Path("/conf/pip/pip.conf") in found
    assert Path("/etc/pip.conf") in found
    assert configuration_files({"PIP_CONFIG_FILE": "/x/pip.conf"}, HOME, system="linux")[0] == Path("/x/pip.conf")
