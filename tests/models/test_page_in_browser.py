"""The page of a run in a real browser: nothing fetched, no complaint, readable by all; light, dark, narrow, printed."""

from __future__ import annotations

import base64
import io
import os
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from envguard.host.variables import step_variables
from envguard.locks.uv import find_uv
from tests.support.browser import Tab
from tests.support.environments import workshop

pytestmark = [pytest.mark.network, pytest.mark.slow]

AXE = Path(__file__).with_name("axe.txt")
HOSTILE = "<script>window.pwned = 1<!-- <img src=x onerror='window.pwned = 1'>&quot;.task"
PAYLOAD = Path(__file__).resolve().parents[2] / "envguard" / "payload"
MAKE = """
import base64, importlib, importlib.util, io, sys
from pathlib import Path
spec = importlib.util.spec_from_file_location("main", sys.argv[1] + "/__main__.py")
main = importlib.util.module_from_spec(spec)
spec.loader.exec_module(main)
main.load_package()
from PIL import Image
from envguard_payload.reporting import example, page
written = io.BytesIO()
Image.linear_gradient("L").resize((64, 48)).convert("RGB").save(written, "JPEG")
jpeg = base64.b64encode(written.getvalue()).decode()
for name, passed in (("yes", True), ("no", False)):
    Path(sys.argv[2], name + ".html").write_text(page.render(example.sources(sys.argv[3], jpeg, passed=passed)))
"""


@pytest.fixture(scope="module")
def pages(store_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two pages of made-up runs with a hostile name, made in the real environment."""
    folder = tmp_path_factory.mktemp("pages")
    python = workshop(store_home).prepare("report").built.layout.python
    command = [str(python), "-I", "-B", "-X", "utf8", "-c", MAKE, str(PAYLOAD), str(folder), HOSTILE]
    made = subprocess.run(command, env=step_variables(os.environ), capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    return folder


@pytest.fixture(scope="module")
def axe(store_home: Path) -> str:
    """The accessibility checker's own script, from a package that carries it."""
    folder = store_home / "axe"
    command = [
        str(find_uv()),
        "pip",
        "install",
        "-q",
        "--no-deps",
        "--require-hashes",
        "--target",
        str(folder),
        "-r",
        str(AXE),
    ]
    subprocess.run(command, check=True, cwd=store_home)
    return (folder / "axe_playwright_python" / "axe.min.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["yes", "no"])
def test_nobody_complains_and_nothing_is_fetched(tab: Tab, pages: Path, axe: str, name: str, dark: bool) -> None:
    tab.complaints.clear()
    tab.asked_for.clear()
    tab.open(pages / f"{name}.html", dark=dark)
    assert tab.complaints == []
    assert [url for url in tab.asked_for if not url.startswith(("file:", "data:"))] == []
    assert len([url for url in tab.asked_for if url.startswith("file:")]) == 1
    tab.evaluate(axe)
    found = tab.evaluate("axe.run(document, {resultTypes: ['violations', 'incomplete']})")
    assert told(found["violations"]) == []
    assert "color-contrast" in [each["id"] for each in found["passes"]]


def told(violations: list[dict[str, Any]]) -> list[str]:
    return [
        f"{each['id']}: {node['html'][:200]}: {node['failureSummary']}" for each in violations for node in each["nodes"]
    ]


def test_a_hostile_name_is_shown_and_does_nothing(tab: Tab, pages: Path) -> None:
    tab.open(pages / "yes.html")
    assert tab.evaluate("typeof window.pwned") == "undefined"
    assert tab.evaluate("document.scripts.length") == 0
    assert HOSTILE in tab.evaluate("document.querySelector('h1').textContent")
    assert tab.evaluate("document.title").startswith(HOSTILE)


def test_scripts_could_not_run_even_if_there_were_any(tab: Tab, pages: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    text = (pages / "yes.html").read_text(encoding="utf-8")
    page.write_text(
        text.replace("</main>", "<script>window.pwned = 1</script><img src='x.png'></main>"), encoding="utf-8"
    )
    tab.open(page)
    assert tab.evaluate("typeof window.pwned") == "undefined"
    assert any("Content Security Policy" in each for each in tab.complaints)
    tab.complaints.clear()


@pytest.mark.parametrize("width", [320, 390, 768, 1280, 1920])
def test_nothing_runs_out_of_the_window(tab: Tab, pages: Path, width: int) -> None:
    tab.open(pages / "yes.html", width=width)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width


def test_light_and_dark_are_two_looks_of_page_and_plots(tab: Tab, pages: Path) -> None:
    looks = []
    for dark in (False, True):
        tab.open(pages / "yes.html", dark=dark)
        ground = tab.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        text = tab.evaluate("getComputedStyle(document.querySelector('.plot text')).fill")
        looks.append((ground, text))
    assert looks[0][0] == "rgb(255, 255, 255)"
    assert looks[0][0] != looks[1][0]
    assert looks[0][1] != looks[1][1]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_plots_can_be_told_from_the_ground(tab: Tab, pages: Path, dark: bool) -> None:
    """WCAG 2.2's contrast, 4.5 for text and 3 for graphics, where axe cannot tell: in drawings."""
    tab.open(pages / "yes.html", dark=dark)
    style = "getComputedStyle(document.documentElement).getPropertyValue('--{}').trim()"
    ground = luminance(tab.evaluate(style.format("ground")))
    for name, least in {"ink": 4.5, "faint": 4.5, "bad": 4.5, "original": 3.0, "quantized": 3.0, "noise": 3.0}.items():
        colour = luminance(tab.evaluate(style.format(name)))
        assert (max(colour, ground) + 0.05) / (min(colour, ground) + 0.05) >= least, name


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb`, as WCAG defines it."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_landmarks_can_be_hidden_without_a_script(tab: Tab, pages: Path) -> None:
    tab.open(pages / "yes.html")
    shown = "getComputedStyle(document.querySelector('.picture .original .dot')).visibility"
    assert tab.evaluate(shown) == "visible"
    tab.evaluate("document.querySelector('#show-original').click()")
    assert tab.evaluate(shown) == "hidden"


def test_the_dots_of_landmarks_are_really_drawn(tab: Tab, pages: Path) -> None:
    tab.open(pages / "yes.html")
    box = tab.evaluate(
        "(r => ({x: r.x + scrollX, y: r.y + scrollY, width: r.width, height: r.height, scale: 1}))"
        "(document.querySelector('.zooms svg').getBoundingClientRect())"
    )
    colours = set(pixels(tab.command("Page.captureScreenshot", clip=box, captureBeyondViewport=True)["data"]))
    assert (0x2F, 0xD0, 0xFF) in colours
    assert (0xFF, 0x7A, 0x1A) in colours


def test_on_paper_it_is_light_and_tells_all(tab: Tab, pages: Path) -> None:
    tab.open(pages / "yes.html", dark=True)
    printed = base64.b64decode(tab.command("Page.printToPDF", printBackground=True)["data"])
    assert printed.startswith(b"%PDF")
    assert printed.count(b"/Type /Page\n") + printed.count(b"/Type /Page ") + printed.count(b"/Type/Page/") > 1
    tab.command(
        "Emulation.setEmulatedMedia", media="print", features=[{"name": "prefers-color-scheme", "value": "dark"}]
    )
    assert tab.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    assert tab.evaluate("getComputedStyle(document.querySelector('nav')).display") == "none"
    assert tab.evaluate("document.querySelector('details table').getBoundingClientRect().height") > 50
    tab.command("Emulation.setEmulatedMedia", media="")


def pixels(png: str) -> Iterator[tuple[int, int, int]]:
    """The colours of a PNG as browsers make them: 8 bits, RGB or RGBA, not interlaced."""
    data = base64.b64decode(png)
    stream, packed, width, channels = io.BytesIO(data[8:]), b"", 0, 0
    while head := stream.read(8):
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        body = stream.read(length)
        stream.read(4)
        if kind == b"IHDR":
            width, channels = int.from_bytes(body[:4], "big"), {2: 3, 6: 4}[body[9]]
        packed += body if kind == b"IDAT" else b""
    raw, stride = zlib.decompress(packed), width * channels
    above = bytes(stride)
    for start in range(0, len(raw), stride + 1):
        above = _unfiltered(raw[start], raw[start + 1 : start + 1 + stride], above, channels)
        yield from (tuple(above[x : x + 3]) for x in range(0, stride, channels))  # type: ignore[misc]


def _unfiltered(kind: int, line: bytes, above: bytes, channels: int) -> bytes:
    """A row of a PNG, from its filter, its bytes and the row above."""
    row = bytearray(line)
    for x, value in enumerate(line):
        left = row[x - channels] if x >= channels else 0
        up, corner = above[x], above[x - channels] if x >= channels else 0
        paeth = min((left, up, corner), key=lambda each: abs(left + up - corner - each))
        row[x] = (value + (0, left, up, (left + up) // 2, paeth)[kind]) & 255
    return bytes(row)
