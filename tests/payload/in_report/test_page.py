"""The page of a run: complete, the same twice, in need of nothing, and nobody's names are markup."""

from __future__ import annotations

import base64
import copy
import io
import itertools
import json
import re
import tempfile
import unittest
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from envguard_payload.protocol import Refused
from envguard_payload.reporting import example, judged
from envguard_payload.reporting.page import render
from envguard_payload.steps import report
from payload_support.requests import Silent, request
from PIL import Image

HOSTILE = """<script>alert("x")</script>'&{{ 7 * 7 }}$\\alpha$\x1b[31m\u202eksat"""
VOID = {"meta", "input", "image", "path", "use"}
FETCHING = {"script", "link", "iframe", "object", "embed", "base", "form", "audio", "video", "source"}


def jpeg() -> str:
    written = io.BytesIO()
    Image.linear_gradient("L").resize((64, 48)).convert("RGB").save(written, "JPEG")
    return base64.b64encode(written.getvalue()).decode()


class Document(HTMLParser):
    """What a browser would find: tags, attributes, ids, headings, what was not closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.badly_closed: list[str] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, Any]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, Any]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID and (not self.open or self.open.pop() != tag):
            self.badly_closed.append(tag)

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def named(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]


class Page(unittest.TestCase):
    def setUp(self) -> None:
        self.run_of = example.run_of("a model.task", jpeg())

    def test_the_same_run_gives_the_same_page(self) -> None:
        self.assertEqual(render(**self.run_of), render(**copy.deepcopy(self.run_of)))

    def test_it_is_whole_and_every_id_is_one_things_own(self) -> None:
        page = Document(render(**self.run_of))
        self.assertEqual((page.open, page.badly_closed), ([], []))
        ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
        self.assertEqual(len(ids), len(set(ids)))
        wanted = [attributes["href"][1:] for attributes in page.named("a")]
        wanted += re.findall(r"url\(#([^)]+)\)", render(**self.run_of))
        wanted += [each["xlink:href"][1:] for each in page.named("use")]
        self.assertEqual(set(wanted) - set(ids), set())

    def test_it_needs_nothing_else(self) -> None:
        text = render(**self.run_of)
        page = Document(text)
        self.assertEqual(FETCHING & {tag for tag, _ in page.tags}, set())
        addresses = [
            value
            for _, attributes in page.tags
            for name, value in attributes.items()
            if name in ("src", "href", "xlink:href", "srcset", "data", "action")
        ]
        self.assertEqual([each for each in addresses if not each.startswith(("#", "data:image/jpeg;base64,"))], [])
        self.assertEqual(
            set(re.findall(r"\w+://[^\"' ]+", text)), {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
        )
        self.assertNotIn("@import", text)
        (policy,) = [each["content"] for each in page.named("meta") if each.get("http-equiv")]
        self.assertIn("default-src 'none'", policy)
        self.assertNotIn("script", policy)

    def test_names_are_text_wherever_they_stand(self) -> None:
        plain = Document(render(**self.run_of))
        given = example.run_of(HOSTILE, jpeg())
        for model in given["document"]["models"]:
            model["name"] += HOSTILE
        given["document"]["models"][0]["outputs"][0]["name"] = HOSTILE
        given["details"]["scores"]["names"][0] = HOSTILE
        given["samples"] = {given["document"]["models"][0]["name"]: given["samples"][example.MODEL]}
        given["document"]["recipe"] = {"models": {}}
        text = render(**given)
        page = Document(text)
        self.assertEqual({tag for tag, _ in page.tags} - {tag for tag, _ in plain.tags}, set())
        self.assertEqual((page.open, page.badly_closed), ([], []))
        self.assertNotIn("<script", text)
        self.assertNotIn("\x1b", text)
        self.assertNotIn("\u202e", text)
        self.assertIn('<script>alert("x")</script>', "".join(page.text))
        self.assertIn("{{ 7 * 7 }}", text)
        self.assertFalse([name for _, each in page.tags for name in each if name.startswith("on")])

    def test_everything_has_a_name_for_who_cannot_see_it(self) -> None:
        text = render(**self.run_of)
        page = Document(text)
        drawn = page.named("svg")
        self.assertGreater(len(drawn), 8)
        self.assertTrue(all(each["role"] == "img" and len(each["aria-label"]) > 10 for each in drawn))
        self.assertEqual(len(page.named("table")), len(page.named("caption")))
        self.assertTrue(all("scope" in each for each in page.named("th")))
        self.assertEqual(len(page.named("figure")), len(page.named("figcaption")))
        levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
        self.assertEqual(levels[0], 1)
        self.assertEqual(levels.count(1), 1)
        self.assertTrue(all(after - before <= 1 for before, after in itertools.pairwise(levels)))

    def test_a_no_stands_first_with_what_to_do(self) -> None:
        text = render(**example.run_of("a.task", jpeg(), passed=False))
        self.assertLess(text.index("landmark-shift"), text.index('id="size"'))
        self.assertIn("Next: Calibrate.", text)
        self.assertIn("✗ no", text)
        self.assertIn("No receipt was written.", text)

    def test_what_was_not_measured_is_left_out_and_said(self) -> None:
        document = example.document("a.task", passed=False)
        for verify in (None, {"verified": False, "kind": "other", "mediapipe": "0", "reason": "It is no bundle."}):
            page = Document(
                render({**document, "verify": verify, "ratio": None, "output": None, "cpu": None, "recipe": None})
            )
            self.assertEqual(page.named("image"), [])
            self.assertIn("What was not verified", page.text)
        self.assertIn("MediaPipe 0 did not verify it: It is no bundle.", "".join(page.text))
        empty = {**document, "models": [], "verify": None, "environments": [], "steps": [], "failures": []}
        self.assertIn("</html>", render(empty))

    def test_gates_say_what_was_measured_and_what_is_allowed(self) -> None:
        document, limits = example.document("a", passed=False), self.run_of["about"]["limits"]
        gates = {gate.what: gate for gate in judged.gates(document, limits)}
        self.assertEqual(gates["Landmark shift, mean"].measured, "0.60 px")
        self.assertEqual(gates["Landmark shift, mean"].allowed, "0.4 px")
        self.assertFalse(gates["Landmark shift, mean"].passed)
        self.assertTrue(gates["Faces lost"].passed)

    def test_hands_have_no_scores_and_are_shown_all_the_same(self) -> None:
        given = json.loads(json.dumps(self.run_of).replace('"faces', '"hands'))
        given["document"]["verify"].update(kind="hand", blendshapes=None)
        given["details"].update(kind="hand", scores=None)
        text = render(**given)
        self.assertNotIn('id="scores"', text)
        self.assertIn("1 hand found by both, 1 lost", text)

    def test_only_jpegs_are_shown(self) -> None:
        self.run_of["details"]["pictures"][0]["jpeg"] = base64.b64encode(b"<svg onload=alert(1)>").decode()
        with self.assertRaises(ValueError):
            render(**self.run_of)


class Step(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def run_step(self, **texts: str) -> Any:
        inputs = {name: self.folder / f"{name}.json" for name in texts}
        for name, path in inputs.items():
            path.write_text(texts[name], encoding="utf-8")
        return report.run(request("steps.report", self.folder, inputs), Silent())

    def test_it_hands_on_the_page(self) -> None:
        result = self.run_step(**{name: json.dumps(value) for name, value in example.run_of("a.task", jpeg()).items()})
        page = (self.folder / result.values["files"]["page"]).read_bytes()
        self.assertEqual(len(page), result.values["bytes"])
        self.assertTrue(page.startswith(b"<!DOCTYPE html>"))

    def test_what_is_no_document_is_refused(self) -> None:
        for texts in ({}, {"document": "{"}, {"document": "[]"}):
            with self.assertRaises(Refused):
                self.run_step(**texts)


if __name__ == "__main__":
    unittest.main()
