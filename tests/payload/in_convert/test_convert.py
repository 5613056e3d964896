"""Conversion as the step does it: real small models, made here, and files that want more than to be converted."""

from __future__ import annotations

import io
import json
import tarfile
import tempfile
import unittest
import zipfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from envguard_payload.contract import Note, Request
from envguard_payload.conversion import converter, converter_rows, keras_files, saved_models
from envguard_payload.protocol import Events, Refused
from envguard_payload.steps import convert
from payload_support.requests import request

SIZE = 12
SIGNATURE = converter.DEFAULT_SIGNATURE


class Silent(Events):  # type: ignore[misc]
    """Keeps notes and says nothing: the test's output is not a step's."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def _emit(self, event: object) -> None:
        if isinstance(event, Note):
            self.notes.append(event.text)


def small_model() -> keras.Model:
    keras.utils.set_random_seed(0)
    layers = keras.layers
    return keras.Sequential(
        [keras.Input((SIZE, SIZE, 3)), layers.Conv2D(32, 3, activation="relu"), layers.Conv2D(32, 3), layers.Flatten()]
    )


class InFolder(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)

    def refused(self, *words: str) -> unittest.case._AssertRaisesContext[Refused]:
        return self.assertRaisesRegex(Refused, ".*".join(words))

    def order(self, model: Path, options: dict[str, object] | None = None, **inputs: Path) -> Request:
        work = self.folder / "work"
        work.mkdir()
        return request("steps.convert", work, {"model": model, **inputs}, options)


class TheStep(InFolder):
    def test_with_rows_weights_and_activations_become_int8_and_inputs_and_outputs_stay_float(self) -> None:
        model, rows = self.folder / "net.keras", self.folder / "rows.npy"
        small_model().save(model)
        np.save(rows, np.random.default_rng(0).random((20, SIZE, SIZE, 3), np.float32))
        order = self.order(model, own=rows)
        result = convert.run(order, Silent())
        self.assertEqual(result.failures, ())
        self.assertEqual((result.values.kind, result.values.rows), ("int8", 16))
        self.assertEqual(result.values.operators.float32, 0)
        self.assertLess(result.values.ratio, 0.35)
        with np.load(order.folder / result.files["held_out"]) as held_out:
            self.assertEqual(held_out["net"].shape, (4, SIZE, SIZE, 3))
        made = (order.folder / result.files["quantized"]).read_bytes()
        (port,) = converter.ports(made)
        self.assertEqual((port.dtype, port.shape), ("float32", (SIZE, SIZE, 3)))
        (output,) = converter.answer(made, {port.name: np.load(rows)[:1]}).values()
        self.assertEqual(output.dtype, np.float32)
        shown = {port.name: converter_rows.divided_rows(np.load(rows))[0]}
        again = converter.convert(order.folder / "saved_model", "net", SIGNATURE, quantized=True, rows=shown)
        self.assertEqual(again, made)

    def test_without_rows_only_weights_become_int8_and_the_user_is_told(self) -> None:
        model, events = self.folder / "net.h5", Silent()
        small_model().save(model)
        result = convert.run(self.order(model), events)
        self.assertEqual(result.failures, ())
        self.assertEqual((result.values.kind, result.values.operators.int8), ("weights", 0))
        self.assertIn("--calibration", events.notes[0])

    def test_a_model_that_stays_as_it_is_is_no_success(self) -> None:
        model = self.folder / "tiny.keras"
        keras.Sequential([keras.Input((4,)), keras.layers.Dense(4)]).save(model)
        result = convert.run(self.order(model), Silent())
        self.assertEqual([failure.name for failure in result.failures], ["no-op"])

    def test_an_input_of_open_size_is_refused(self) -> None:
        model = self.folder / "open.keras"
        keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(8, 3)]).save(model)
        with self.refused("open size"):
            convert.run(self.order(model), Silent())

    def test_operators_that_tensorflow_lite_lacks_are_named(self) -> None:
        class Inverse(tf.Module):  # type: ignore[misc]
            @tf.function(  # type: ignore[untyped-decorator]
                input_signature=[tf.TensorSpec([1, 4], tf.float32)]
            )
            def __call__(self, numbers: tf.Tensor) -> tf.Tensor:
                return tf.linalg.inv(tf.reshape(numbers, [2, 2]))

        model = Inverse()
        tf.saved_model.save(model, self.folder / "inverse", signatures=model.__call__)
        with self.refused("inverse", "MatrixInverse"):
            converter.convert(self.folder / "inverse", "inverse", SIGNATURE, quantized=False)
        file = self.folder / "inverse" / "saved_model.pb"
        file.write_bytes(file.read_bytes().replace(b"MatrixInverse", b"MatrixInversf"))
        with self.refused("MatrixInversf"):
            converter.convert(self.folder / "inverse", "inverse", SIGNATURE, quantized=False)


class HostileKerasFiles(InFolder):
    def test_code_in_a_file_is_refused_before_keras_sees_it(self) -> None:
        mark = self.folder / "ran"
        layer = keras.layers.Lambda(lambda numbers, mark=str(mark): __import__("pathlib").Path(mark).touch() or numbers)
        model = keras.Sequential([keras.Input((4,)), layer])
        self.assertTrue(mark.exists())
        for suffix in (".keras", ".h5"):
            file = self.folder / f"evil{suffix}"
            model.save(file)
            mark.unlink(missing_ok=True)
            with self.refused("Lambda"):
                keras_files.export(file, self.folder / "out")
            self.assertFalse(mark.exists())

    def test_no_file_says_what_is_imported(self) -> None:
        file = self.folder / "net.keras"
        small_model().save(file)
        for module, name in (("os", "system"), ("mine.layers", "Mine"), (None, "Mine")):
            rewritten = self.folder / "rewritten.keras"
            with zipfile.ZipFile(file) as before, zipfile.ZipFile(rewritten, "w") as after:
                for member in before.infolist():
                    content = before.read(member)
                    if member.filename == "config.json":
                        config = json.loads(content)
                        config["config"]["layers"][1].update(module=module, class_name=name, registered_name=name)
                        content = json.dumps(config).encode()
                    after.writestr(member.filename, content)
            with self.refused(name):
                keras_files.export(rewritten, self.folder / "out")

    def test_what_is_no_model_is_refused(self) -> None:
        file = self.folder / "x.keras"
        for content in (b"PK\x03\x04", keras_files.HDF5 + b"\0" * 64):
            file.write_bytes(content)
            with self.refused("no Keras model"):
                keras_files.export(file, self.folder / "out")


class HostileTars(InFolder):
    def tar(self, *members: tarfile.TarInfo) -> Path:
        path = self.folder / "model.tar"
        with tarfile.open(path, "w") as tar:
            for member in (tarfile.TarInfo("saved_model.pb"), *members):
                tar.addfile(member, io.BytesIO(b"x" * member.size))
        return path

    def test_names_that_lead_elsewhere_and_links_are_refused(self) -> None:
        link = tarfile.TarInfo("variables")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc"
        names = ("../x", "/x", "a/../../x", "C:x", "a\\b", "./x")
        for number, member in enumerate((*map(tarfile.TarInfo, names), link)):
            with self.subTest(member.name), self.refused("no regular file"):
                saved_models.unpack(self.tar(member), self.folder / f"out{number}")
        self.assertFalse((self.folder / "x").exists())

    def test_what_is_no_saved_model_is_refused(self) -> None:
        with self.refused("two files"):
            saved_models.unpack(self.tar(tarfile.TarInfo("saved_model.pb")), self.folder / "twice")
        other = self.folder / "other.tar"
        other.write_bytes(b"PK\x03\x04" * 400)
        with self.refused("unpacked"):
            saved_models.unpack(other, self.folder / "other")


class Rows(unittest.TestCase):
    def test_each_input_needs_rows_of_its_shape_under_its_name(self) -> None:
        ports = [converter.Port(name, (3,), "float32", 1) for name in ("left", "right")]
        with tempfile.TemporaryDirectory() as scratch:
            for wrong, words in (
                ({"left": np.zeros((5, 3))}, "right"),
                ({"left": np.zeros((5, 3)), "right": np.zeros((5, 4))}, "wrong shape"),
                ({"left": np.zeros((5, 3)), "right": np.zeros((6, 3))}, "5 and 6"),
                ({"left": np.zeros((5, 3)), "other": np.zeros((5, 3))}, "which input"),
                ({"left": np.zeros((5, 3)), "right": np.full((5, 3), np.nan)}, "NaN"),
            ):
                path = Path(scratch) / "rows.npz"
                np.savez(path, **wrong)
                with self.subTest(words), self.assertRaisesRegex(Refused, words):
                    converter_rows.from_arrays([path], ports)
