"""The page of a run: complete, the same twice, in need of nothing, and nobody's names are markup."""

from __future__ import annotations

import base64
import io
import itertools
import json
import re
import tempfile
import unittest
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from envguard_payload.contract import (
    Gate,
    QuantizeFindings,
    RecipeDocument,
    RefusedAttempt,
    Request,
    VerifyFindings,
    quantize_document,
    to_json,
)
from envguard_payload.protocol import Refused
from envguard_payload.reporting import example, roads, tables
from envguard_payload.reporting.page import PageContents, render
from envguard_payload.steps import report
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
        self.sources = example.sources("a model.task", jpeg())

    def test_the_same_run_gives_the_same_page(self) -> None:
        self.assertEqual(render(self.sources), render(example.sources("a model.task", jpeg())))

    def test_it_is_whole_and_every_id_is_one_things_own(self) -> None:
        page = Document(render(self.sources))
        self.assertEqual((page.open, page.badly_closed), ([], []))
        ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
        self.assertEqual(len(ids), len(set(ids)))
        wanted = [attributes["href"][1:] for attributes in page.named("a")]
        wanted += re.findall(r"url\(#([^)]+)\)", render(self.sources))
        wanted += [each["xlink:href"][1:] for each in page.named("use")]
        self.assertEqual(set(wanted) - set(ids), set())

    def test_it_needs_nothing_else(self) -> None:
        text = render(self.sources)
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
        plain = Document(render(self.sources))
        hostile = hostile_sources()
        text = render(hostile)
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
        text = render(self.sources)
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
        text = render(example.sources("a.task", jpeg(), passed=False))
        self.assertLess(text.index("landmark-shift"), text.index('id="size"'))
        self.assertIn("Next: Calibrate.", text)
        self.assertIn("✗ no", text)
        self.assertIn("No receipt was written.", text)

    def test_what_was_not_measured_is_left_out_and_said(self) -> None:
        run = example.run_of("a.task", passed=False)
        unverified = VerifyFindings(verified=False, kind="other", mediapipe="0", reason="It is no bundle.")
        for steps in ((), (replace(run.steps[0], findings=unverified),)):
            page = Document(render(PageContents(replace(run, steps=steps))))
            self.assertEqual(page.named("image"), [])
            self.assertIn("What was not verified", page.text)
        self.assertIn("MediaPipe 0 did not verify it: It is no bundle.", "".join(page.text))
        empty = replace(run, steps=(), gates=(), environments=())
        self.assertIn("</html>", render(PageContents(empty)))

    def test_gates_say_what_was_measured_and_what_is_allowed(self) -> None:
        table = tables.gates(example.run_of("a", passed=False).gates)
        assert table is not None
        rows = {row[0]: row[1:] for row in table.rows}
        self.assertEqual(rows["Landmark shift, mean"], ("–", "✗ no", "0.60 px", "0.4 px"))
        self.assertEqual(rows["Faces lost"], ("–", "✓ yes", "0 of 12", "0.5%"))
        self.assertEqual(rows["Time on one thread"], (example.MODEL, "✓ yes", "0.80", "1.05"))
        self.assertEqual(rows["Blendshapes, mean difference"], ("–", "✓ yes", "0.0050", "0.008"))

    def test_every_road_is_told_with_what_was_run_there_and_why_one_was_not(self) -> None:
        page = Document(render(self.sources))
        text = "".join(page.text)
        table = roads.table(quantize_document(self.sources.run))
        assert table is not None
        rows = {row[0]: row[1:] for row in table.rows}
        self.assertEqual(rows["cpu"][:3], ("run", "✓ yes", "MediaPipe 0"))
        self.assertEqual(rows["gpu"][:2], ("run", "✗ no"))
        self.assertEqual(rows["web-cpu"][:2], ("–", "unknown"))
        self.assertIn("DEQUANTIZE: Operation is not supported.", text)
        self.assertIn("The road web-cpu was not tried: there is no browser here", text)
        self.assertIn("roads", [each.get("id") for each in page.named("section")])

    def test_what_was_tried_before_stands_with_what_refused_it(self) -> None:
        run = self.sources.run
        gate = Gate("landmark-shift", "Shift", False, message="Landmarks move by 0.50 pixels; 0.4 is allowed.")
        found = run.found(QuantizeFindings)
        assert found is not None
        other = replace(found, bytes_out=900_000, recipe=RecipeDocument("size"))
        refused = replace(run, refused=(RefusedAttempt("quantize", (gate,), other),))
        text = "".join(Document(render(replace(self.sources, run=refused))).text)
        self.assertIn("900,000", text)
        self.assertIn("landmark-shift: Landmarks move by 0.50 pixels; 0.4 is allowed.", text)
        self.assertNotIn("refused by gates", "".join(Document(render(self.sources)).text))

    def test_every_gate_that_was_judged_is_shown(self) -> None:
        gate = Gate("silent-zeros", "No dead output", True, subject="landmarks: points", step="compare")
        run = self.sources.run
        text = "".join(Document(render(replace(self.sources, run=replace(run, gates=(*run.gates, gate))))).text)
        for each in (*run.gates, gate):
            self.assertIn(each.what, text)
        self.assertIn("landmarks: points", text)

    def test_hands_have_no_scores_and_are_shown_all_the_same(self) -> None:
        details = self.sources.details
        assert details is not None
        text = render(replace(self.sources, details=replace(details, kind="hand", things="hands", scores=None)))
        self.assertNotIn('id="scores"', text)
        self.assertIn("1 hand found by both, 1 lost", text)

    def test_only_jpegs_are_shown(self) -> None:
        details = self.sources.details
        assert details is not None
        script = base64.b64encode(b"<svg onload=alert(1)>").decode()
        pictures = (replace(details.pictures[0], jpeg=script),)
        with self.assertRaises(ValueError):
            render(replace(self.sources, details=replace(details, pictures=pictures)))


def hostile_sources() -> PageContents:
    """The example, with a hostile name for everything that a file or a tool gives a name to."""
    sources = example.sources(HOSTILE, jpeg())
    details, run = sources.details, sources.run
    assert details is not None
    assert details.scores is not None
    scores = replace(details.scores, names=(HOSTILE, *details.scores.names[1:]))
    found = [hostile_findings(step.findings) for step in run.steps]
    steps = tuple(replace(step, findings=each) for step, each in zip(run.steps, found))  # noqa: B905 - Python 3.9
    gates = (*run.gates, Gate(HOSTILE, HOSTILE, False, HOSTILE, detail=HOSTILE, message=HOSTILE, next=HOSTILE))
    return PageContents(
        replace(run, steps=steps, gates=gates),
        replace(details, scores=scores),
        {example.MODEL + HOSTILE: sources.samples[example.MODEL]},
    )


def hostile_findings(findings: Any) -> Any:
    if not hasattr(findings, "models"):
        return findings
    models = [replace(model, name=model.name + HOSTILE) for model in findings.models]
    if isinstance(findings, QuantizeFindings):
        return replace(findings, models=tuple(models), recipe=replace(findings.recipe, models={}))
    outputs = (replace(models[0].outputs[0], name=HOSTILE), *models[0].outputs[1:])
    return replace(findings, models=(replace(models[0], outputs=outputs), *models[1:]))


class Step(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def run_step(self, **texts: str) -> Any:
        inputs = {name: (self.folder / f"{name}.json",) for name in texts}
        for name, (path,) in inputs.items():
            path.write_text(texts[name], encoding="utf-8")
        return report.run(Request("steps.report", inputs, self.folder), Silent())

    def test_it_hands_on_the_page(self) -> None:
        sources = example.sources("a.task", jpeg())
        given = {"document": sources.run, "details": sources.details, "samples": sources.samples}
        result = self.run_step(**{name: json.dumps(to_json(value)) for name, value in given.items()})
        page = (self.folder / result.files["page"]).read_bytes()
        self.assertEqual(len(page), result.values.bytes)
        self.assertEqual(page.decode(), render(sources))

    def test_details_and_samples_may_be_missing(self) -> None:
        result = self.run_step(document=json.dumps(to_json(example.run_of("a.task"))))
        self.assertIn("were not handed on", (self.folder / result.files["page"]).read_text(encoding="utf-8"))

    def test_what_is_not_the_record_of_a_run_is_refused(self) -> None:
        run: Any = to_json(example.run_of("a.task"))
        for texts in (
            {},
            {"document": "{"},
            {"document": "[]"},
            {"document": json.dumps({**run, "verdict": 1})},
            {"document": json.dumps({**run, "inputs": {}})},
            {"document": json.dumps(run), "details": "{}"},
        ):
            with self.assertRaises(Refused):
                self.run_step(**texts)
        with self.assertRaises(Refused) as caught:
            self.run_step(document=json.dumps({**run, "verdict": 1}))
        self.assertEqual(caught.exception.why, "verdict is not a text")


class Silent:
    """Takes the events, so that standard output stays the test runner's."""

    def progress(self, label: str, done: float, total: float) -> None: ...


if __name__ == "__main__":
    unittest.main()
