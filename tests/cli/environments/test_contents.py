"""What is in an environment is told from its metadata: who requires whom, why, and under which licenses."""

from __future__ import annotations

from pathlib import Path

import pytest

from envguard.report.contents import chains_text, licenses_json, licenses_text, tree_json, tree_text
from envguard.running.contents.packages import dependency_graph, read_packages
from tests.support.command import envguard

MARKERS = {"sys_platform": "linux", "python_version": "3.11"}


def install(folder: Path, name: str, *fields: str) -> None:
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    text = "\n".join([f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0", *fields])
    (info / "METADATA").write_text(text + "\n\nThe description: License: none\n", encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    install(tmp_path, "Lead", "Requires-Dist: inner[fast]>=1", "Requires-Dist: winonly; sys_platform == 'win32'")
    install(tmp_path, "inner", "Requires-Dist: quick; extra == 'fast'", "Requires-Dist: doc; extra == 'docs'")
    install(tmp_path, "quick", "Requires-Dist: lead", "Requires-Dist: gone", "License-Expression: MIT OR Apache-2.0")
    install(tmp_path, "apart", "Classifier: License :: OSI Approved :: BSD License", "License: other")
    install(tmp_path, "words", "License: Zlib")
    install(tmp_path, "whole", "License: " + "The whole text of it. " * 20)
    return tmp_path


def test_a_tree_follows_extras_and_markers_and_ends_where_it_would_begin_again(folder: Path) -> None:
    graph = dependency_graph(read_packages(folder), ["lead>=1", "words ; sys_platform == 'linux'"], MARKERS)
    assert tree_text(graph).split("\n") == [
        "lead 1.0",
        "  inner 1.0",
        "    quick 1.0",
        "      lead 1.0 (see above)",
        "      gone (not installed)",
        "words 1.0",
        "Required by none of these:",
        "  apart 1.0",
        "  whole 1.0",
    ]
    assert tree_json(graph, "")["missing"] == ["gone"]


def test_why_a_package_is_there_is_told_from_what_was_asked_for(folder: Path) -> None:
    graph = dependency_graph(read_packages(folder), ["lead", "quick"], MARKERS)
    assert chains_text(graph, "quick").split("\n") == ["quick 1.0", "lead 1.0 → inner 1.0 → quick 1.0"]
    assert "none of the requirements leads to it" in chains_text(graph, "apart")
    assert tree_json(graph, "inner")["chains"] == [["lead", "inner"], ["quick", "lead", "inner"]]


def test_a_license_is_named_by_the_best_field_and_what_none_names_is_unknown(folder: Path) -> None:
    packages = read_packages(folder)
    assert {name: (each.license.name, each.license.field) for name, each in packages.items()} == {
        "lead": ("", ""),
        "inner": ("", ""),
        "quick": ("MIT OR Apache-2.0", "License-Expression"),
        "apart": ("BSD License", "Classifier"),
        "words": ("Zlib", "License"),
        "whole": ("", ""),
    }
    assert licenses_text(packages).split("\n")[-4:] == [
        "unknown: no field of the metadata names one:", "  inner 1.0", "  lead 1.0", "  whole 1.0",
    ]  # fmt: skip
    listed = licenses_json(packages)["packages"]
    assert isinstance(listed, list)
    assert {"name": "whole", "version": "1.0", "license": None, "field": None} in listed


@pytest.mark.network
def test_a_real_environment_is_told(store_home: Path) -> None:
    tree = envguard("tree", "docs", "--json", home=store_home)
    assert tree.code == 0, tree.err
    assert (tree.document["schema"], tree.document["requirements"]) == (1, ["mkdocs"])
    assert tree.document["missing"] == []
    why = envguard("tree", "docs", "--why", "MarkupSafe", home=store_home)
    assert "mkdocs" in why.out.split("\n")[0]
    assert why.out.split("\n")[0].split(" → ")[-1].startswith("markupsafe ")
    licenses = envguard("licenses", "docs", "--json", home=store_home).document
    assert {each["name"] for each in licenses["packages"]} == {each["name"] for each in tree.document["packages"]}
    refused = envguard("tree", "docs", "--why", "nothing", home=store_home)
    assert refused.code == 2
