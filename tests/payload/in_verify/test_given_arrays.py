"""Arrays to calibrate with are used, or refused by name: none is left out, and none is replaced by made-up inputs."""

from __future__ import annotations

import dataclasses
import tempfile
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from envguard_payload.contract import CalibrateFindings, InspectedModel, InspectFindings, Port, Signature
from envguard_payload.files.given_arrays import read_rows
from envguard_payload.protocol import Refused
from envguard_payload.steps import calibrate
from payload_support.requests import Listening, inspected_model, request
from PIL import Image

SHAPE = (1, 32, 24, 3)
ROWS = np.random.default_rng(0).random((20, *SHAPE[1:]), np.float32)


def port(name: str = "image", shape: tuple[int, ...] = SHAPE, kind: str = "FLOAT32") -> Port:
    return Port(name, shape, shape, kind)


NET = inspected_model("net", port())


def changed(change: Callable[[np.ndarray], Any]) -> np.ndarray:
    """The rows after a change to a copy of them."""
    rows = ROWS.copy()
    change(rows)
    return rows


class Case(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.events = Listening()

    def saved(self, array: Any, name: str = "rows.npy") -> Path:
        np.save(self.folder / name, array, allow_pickle=True)
        return self.folder / name

    def saved_together(self, **arrays: Any) -> Path:
        np.savez(self.folder / "rows.npz", **arrays)
        return self.folder / "rows.npz"

    def read(self, *paths: Path, models: tuple[InspectedModel, ...] = (NET,)) -> dict[str, list[np.ndarray]]:
        rows: dict[str, list[np.ndarray]] = read_rows(paths, models, self.events.note)
        return rows

    def refusal(self, *paths: Path, models: tuple[InspectedModel, ...] = (NET,)) -> str:
        """Why they are refused, in all words."""
        with self.assertRaises(Refused) as caught:
            self.read(*paths, models=models)
        self.assertTrue(any(path.name in caught.exception.what for path in paths) or len(paths) != 1)
        return f"{caught.exception.what} {caught.exception.why} {caught.exception.next_step}"


class Rows(Case):
    def test_rows_of_every_type_of_number_are_taken_and_uint8_stays_pixels(self) -> None:
        given = [ROWS, ROWS.astype(np.float64), ROWS.astype(np.float16), ROWS > 0.5]
        given += [(ROWS * 200).astype(kind) for kind in (np.uint8, np.int32)]
        for array in given:
            with self.subTest(array.dtype.name):
                (rows,) = self.read(self.saved(array))["net"]
                self.assertEqual(rows.dtype, np.uint8 if array.dtype == np.uint8 else np.float32)
                np.testing.assert_allclose(rows, array)

    def test_a_row_without_a_batch_axis_and_a_stack_of_batches_are_taken(self) -> None:
        self.assertEqual(self.read(self.saved(ROWS[0]))["net"][0].shape, SHAPE)
        self.assertIn("no batch axis", self.events.notes[0])
        self.assertEqual(self.read(self.saved(ROWS[:, None]))["net"][0].shape, ROWS.shape)

    def test_what_has_the_wrong_shape_is_refused_with_what_to_do(self) -> None:
        wrong = {
            "channels first": (ROWS.transpose(0, 3, 1, 2), r"NCHW.*transpose\(array, \(0, 2, 3, 1\)\)"),
            "one row, channels first": (ROWS[0].transpose(2, 0, 1), r"NCHW.*transpose\(array, \(1, 2, 0\)\)"),
            "turned": (ROWS.transpose(0, 2, 1, 3), "another order"),
            "half": (ROWS[:, :16], "20 × 16 × 24 × 3.*rows of 32 × 24 × 3"),
            "flat": (ROWS.reshape(20, -1), "reshape it to N × 32 × 24 × 3"),
            "no rows": (ROWS[:0], "no rows"),
            "a number": (np.float32(1.0), "wrong shape"),
        }
        for name, (array, expected) in wrong.items():
            with self.subTest(name):
                self.assertRegex(self.refusal(self.saved(array)), expected)

    def test_rows_that_are_not_finite_are_named(self) -> None:
        def no_number(rows: np.ndarray) -> None:
            rows[3, 0, 0, 0] = np.nan
            rows[17] = np.inf

        self.assertIn("rows 3, 17 (the first is row 0)", self.refusal(self.saved(changed(no_number))))
        huge = ROWS.astype(np.float64)
        huge[5, 0, 0, 0] = 1e300
        self.assertIn("too large for float32: row 5", self.refusal(self.saved(huge)))

    def test_what_holds_no_real_numbers_is_refused(self) -> None:
        wrong = {
            "text": np.array(["a", "b"]),
            "Python objects": np.array([ROWS, "evil"], dtype=object),
            "complex numbers": ROWS.astype(np.complex64),
            "dates": np.zeros((2, *SHAPE[1:]), "datetime64[s]"),
            "records": np.zeros(2, [("a", np.float32)]),
        }
        for kind, array in wrong.items():
            with self.subTest(kind):
                self.assertIn(f"rows.npy holds {kind}", self.refusal(self.saved(array)))

    def test_damaged_files_are_refused(self) -> None:
        whole = self.saved_together(net=ROWS).read_bytes()
        for data in (b"", b"hi", whole[: len(whole) // 2], b"\x93NUMPY\1\0\x10\0{'descr': 'f4',"):
            path = self.folder / "damaged.npz"
            path.write_bytes(data)
            self.refusal(path)

    def test_rows_in_which_nothing_varies_are_refused_and_single_ones_noted(self) -> None:
        for value in (0.0, 0.5):
            self.assertIn("are the same", self.refusal(self.saved(np.full_like(ROWS, value))))
        self.read(self.saved(changed(lambda rows: rows[4].fill(0.25))))
        self.assertIn("row 4", self.events.notes[-1])
        self.read(self.saved(np.repeat(ROWS[:1], 3, axis=0)))
        self.assertIn("all 3 rows are the same", self.events.notes[-1])


class Ranges(Case):
    def test_pixels_for_a_model_that_declares_fractions_are_refused(self) -> None:
        net = dataclasses.replace(NET, input_ranges={"image": (0.0, 1.0)})
        self.assertRegex(self.refusal(self.saved(ROWS * 255), models=(net,)), "metadata says 0 to 1")
        rows = changed(lambda rows: rows[7].fill(200))
        self.assertIn("row 7 ", self.refusal(self.saved(rows), models=(net,)))
        self.read(self.saved((ROWS * 255).astype(np.uint8)), models=(net,))
        self.assertEqual(self.events.notes, [])

    def test_fractions_for_a_model_that_declares_pixels_are_noted(self) -> None:
        self.read(self.saved(ROWS), models=(dataclasses.replace(NET, input_ranges={"image": (0.0, 255.0)}),))
        self.assertIn("0 to 255", self.events.notes[0])

    def test_pixels_for_a_model_that_declares_nothing_are_noted(self) -> None:
        self.read(self.saved(ROWS * 255))
        self.assertIn("divide by 255", self.events.notes[0])

    def test_a_table_may_hold_any_numbers(self) -> None:
        table = np.array([[50_000.0, 1.0], [61_000.0, -2.0]])
        self.read(self.saved(table), models=(inspected_model("net", port("table", (1, 2))),))
        self.assertEqual(self.events.notes, [])


class Names(Case):
    def test_an_array_is_found_by_the_name_of_its_model_its_input_or_the_signature(self) -> None:
        net = dataclasses.replace(NET, signatures=(Signature("serving_default", {"picture": "image"}, {}),))
        for name in ("net", "image", "picture", "net/picture", "arr_0"):
            self.assertEqual(len(self.read(self.saved_together(**{name: ROWS}), models=(net,))["net"][0]), 20)

    def test_an_unknown_name_is_refused_with_those_that_are_known(self) -> None:
        self.assertRegex(self.refusal(self.saved_together(foo=ROWS)), "'foo'.*'net'")
        self.assertIn("'foo'", self.refusal(self.saved_together(net=ROWS, foo=ROWS)))

    def test_a_lone_array_is_for_the_only_model_that_it_fits(self) -> None:
        other = inspected_model("other", port("numbers", (1, 5)))
        self.assertEqual(self.read(self.saved(ROWS), models=(other, NET)).keys(), {"net"})
        twin = inspected_model("twin", port())
        self.assertIn("'twin'", self.refusal(self.saved(ROWS), models=(NET, twin)))

    def test_several_files_follow_each_other(self) -> None:
        paths = self.saved(ROWS[:3], "a.npy"), self.saved(ROWS[3:7], "b.npy")
        np.testing.assert_array_equal(self.read(*paths)["net"][0], ROWS[:7])
        self.assertIn("uint8", self.refusal(paths[0], self.saved(ROWS.astype(np.uint8), "c.npy")))

    def test_a_model_with_several_inputs_needs_as_many_rows_of_each(self) -> None:
        two = inspected_model("two", port(), port("mask", (1, 4), "INT32"))
        mask = np.ones((20, 4), np.int64)
        rows = self.read(self.saved_together(image=ROWS, mask=mask), models=(two,))["two"]
        self.assertEqual([each.dtype for each in rows], [np.float32, np.int32])
        self.assertIn("'mask'", self.refusal(self.saved_together(image=ROWS), models=(two,)))
        self.assertIn("20 and 5 rows", self.refusal(self.saved_together(image=ROWS, mask=mask[:5]), models=(two,)))

    def test_fractions_for_whole_numbers_are_refused(self) -> None:
        ids = inspected_model("ids", port("ids", (1, 4), "INT32"))
        given = np.array([[1.0, 2.0, 3.0, 4.0], [1.0, 2.5, 3.0, 4.0]])
        self.assertIn("row 1", self.refusal(self.saved(given), models=(ids,)))
        text = inspected_model("text", port("text", (1,), "STRING"))
        self.assertIn("STRING", self.refusal(self.saved(given), models=(text,)))

    def test_a_fixed_batch_takes_whole_batches(self) -> None:
        four = inspected_model("four", port(shape=(4, *SHAPE[1:])))
        self.assertEqual(len(self.read(self.saved(ROWS[:19]), models=(four,))["four"][0]), 16)
        self.assertIn("last 3 rows", self.events.notes[0])
        self.assertIn("4 at once", self.refusal(self.saved(ROWS[:3]), models=(four,)))


class Step(Case):
    """The whole step, on a model that is a name and its inputs."""

    def run_step(self, *own: Path, model: InspectedModel = NET) -> CalibrateFindings:
        path = self.folder / f"{model.name}.tflite"
        path.write_bytes(b"\x18\0\0\0TFL3" + bytes(100))
        found = InspectFindings(path.name, "model", 0, (), (model,))
        order = request("steps.calibrate", self.folder, {"model": path, "own": list(own)}, inspected=found)
        values = calibrate.run(order, self.events).values
        assert isinstance(values, CalibrateFindings)
        return values

    def pictures(self, count: int, colour: bool = True) -> list[Path]:
        paths = [self.folder / f"{number}.png" for number in range(count)]
        for path, rows in zip(paths, ROWS):  # noqa: B905 - Python 3.9
            Image.fromarray((rows * 255 * colour).astype(np.uint8)).save(path)
        return paths

    def test_enough_rows_are_divided_and_nothing_is_said(self) -> None:
        values = self.run_step(self.saved(ROWS))
        self.assertEqual((values.inputs, values.held_out, self.events.notes), ({"net": 16}, {"net": 4}, []))

    def test_rows_too_few_to_hold_any_out_are_said_to_be_judged_on_made_up_inputs(self) -> None:
        self.assertEqual(self.run_step(self.saved(ROWS[:3])).held_out, {})
        self.assertIn("net will be judged on made-up inputs", self.events.notes[0])

    def test_every_input_of_a_model_with_several_is_handed_on(self) -> None:
        two = inspected_model("two", port(), port("mask", (1, 4), "INT32"))
        path = self.saved_together(image=ROWS, mask=np.ones((20, 4), np.int32))
        self.assertEqual(self.run_step(path, model=two).inputs, {"two:0": 16, "two:1": 16})

    def test_a_broken_picture_is_named_and_the_others_are_used(self) -> None:
        paths = self.pictures(4)
        paths[1].write_bytes(paths[1].read_bytes()[:300])
        self.assertGreater(self.run_step(*paths).inputs["net"], 0)
        self.assertIn("1.png", self.events.notes[0])

    def test_pictures_that_would_not_be_used_are_refused(self) -> None:
        table = inspected_model("table", port("table", (1, 5)))
        with self.assertRaisesRegex(Refused, "does not take one RGB picture"):
            self.run_step(*self.pictures(2), model=table)
        with self.assertRaisesRegex(Refused, "both arrays and pictures"):
            self.run_step(*self.pictures(2), self.saved(ROWS))
        with self.assertRaisesRegex(Refused, "single colour"):
            self.run_step(*self.pictures(2, colour=False))

    def test_a_picture_of_one_colour_among_others_is_named_and_left_out(self) -> None:
        black, *others = self.pictures(3)
        Image.new("RGB", (8, 8)).save(black)
        self.run_step(black, *others)
        self.assertEqual(self.events.notes, ["Left out, as they have a single colour: '0.png'."])


if __name__ == "__main__":
    unittest.main()
