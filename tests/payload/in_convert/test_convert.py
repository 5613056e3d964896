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
from envguard_payload.conversion import converter, converter_rows, keras_files, keras_models, saved_models
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

    def test_a_fixed_batch_is_kept_and_calibrated_in_batches(self) -> None:
        model, rows = self.folder / "four.keras", self.folder / "rows.npy"
        layers = [keras.Input((SIZE, SIZE, 3), batch_size=4), keras.layers.Conv2D(64, 3), keras.layers.Flatten()]
        keras.Sequential(layers).save(model)
        np.save(rows, np.random.default_rng(0).random((20, SIZE, SIZE, 3), np.float32))
        order = self.order(model, own=rows)
        result = convert.run(order, Silent())
        (port,) = converter.ports((order.folder / result.files["quantized"]).read_bytes())
        self.assertEqual((port.batch, port.shape), (4, (SIZE, SIZE, 3)))
        self.assertEqual((result.failures, result.values.rows), ((), 16))

    def test_a_recurrent_layer_with_an_open_batch_gets_a_batch_of_one_and_answers_as_keras_does(self) -> None:
        for layer in (keras.layers.LSTM(48), keras.layers.GRU(48)):
            with self.subTest(layer.name), tempfile.TemporaryDirectory() as scratch:
                self.folder = Path(scratch)
                model, events = keras.Sequential([keras.Input((6, 8)), layer, keras.layers.Dense(3)]), Silent()
                model.save(self.folder / "loop.keras")
                order = self.order(self.folder / "loop.keras")
                result = convert.run(order, events)
                self.assertEqual(result.failures, ())
                self.assertIn("The batch is fixed to 1", events.notes[0])
                rows = np.random.default_rng(0).random((1, 6, 8), np.float32)
                made = (order.folder / result.files["quantized"]).read_bytes()
                (answer,) = converter.answer(made, {converter.ports(made)[0].name: rows}).values()
                np.testing.assert_allclose(answer, model(rows), atol=0.02)

    def test_a_loop_is_not_calibrated_and_the_cure_is_named(self) -> None:
        model, rows = self.folder / "loop.keras", self.folder / "rows.npy"
        keras.Sequential([keras.Input((6, 8)), keras.layers.GRU(48)]).save(model)
        np.save(rows, np.zeros((20, 6, 8), np.float32))
        with self.refused("another loop") as refusal:
            convert.run(self.order(model, own=rows), Silent())
        self.assertIn("Leave out --calibration", refusal.exception.next_step)

    def test_a_saved_model_with_a_loop_and_an_open_batch_gets_the_line_to_export_it_with(self) -> None:
        keras.Sequential([keras.Input((6, 8)), keras.layers.GRU(8)]).export(self.folder / "loop", verbose=False)
        with self.refused("its batch is open") as refusal:
            converter.convert(self.folder / "loop", "loop", SIGNATURE, quantized=False)
        self.assertIn('keras.InputSpec((1, 6, 8), "float32")', refusal.exception.next_step)

    def test_layers_that_augment_are_off_and_what_follows_them_is_not_training(self) -> None:
        model, layers = self.folder / "aug.keras", keras.layers
        made = keras.Sequential(
            [keras.Input((SIZE, SIZE, 3)), layers.RandomFlip(), layers.RandomRotation(0.1), layers.Conv2D(32, 3)]
            + [layers.BatchNormalization(), layers.Flatten(), layers.Dense(8)]
        )
        made.layers[3].moving_mean.assign(np.full(32, 0.5))
        made.save(model)
        order = self.order(model)
        result = convert.run(order, Silent())
        plain = (order.folder / result.files["float"]).read_bytes()
        rows = np.random.default_rng(0).random((1, SIZE, SIZE, 3), np.float32)
        (answer,) = converter.answer(plain, {converter.ports(plain)[0].name: rows}).values()
        np.testing.assert_allclose(answer, made(rows, training=False), atol=1e-4)

    def test_scores_beside_boxes_in_one_output_stay_as_they_are(self) -> None:
        model, rows = self.folder / "boxes.keras", self.folder / "rows.npy"
        layers = keras.layers
        image = keras.Input((SIZE, SIZE, 3))
        features = layers.Conv2D(32, 3, strides=2, activation="relu")(image)
        boxes = layers.Rescaling(640.0)(layers.Conv2D(4, 1, activation="sigmoid")(features))
        scores = layers.Conv2D(20, 1, activation="sigmoid")(features)
        both = layers.Concatenate()([layers.Reshape((25, 4))(boxes), layers.Reshape((25, 20))(scores)])
        made = keras.Model(image, both)
        made.save(model)
        np.save(rows, np.random.default_rng(0).random((20, SIZE, SIZE, 3), np.float32))
        order = self.order(model, own=rows)
        result = convert.run(order, Silent())
        int8 = (order.folder / result.files["quantized"]).read_bytes()
        shown = np.load(rows)[:1]
        (answer,) = converter.answer(int8, {converter.ports(int8)[0].name: shown}).values()
        self.assertGreater(result.values.operators.int8, 0)
        error = np.abs(answer - np.asarray(made(shown)))
        self.assertLess(error[..., 4:].max(), 0.02)
        # A step of the sigmoid in int8 would be 2.5 pixels.
        self.assertLess(error[..., :4].mean(), 1.2)

    def test_a_signature_that_is_not_there_is_answered_with_those_that_are(self) -> None:
        keras.Sequential([keras.Input((4,)), keras.layers.Dense(4)]).export(self.folder / "net", verbose=False)
        with self.refused("no signature 'other'") as refusal:
            converter.convert(self.folder / "net", "net", "other", quantized=False)
        self.assertIn("--signature serv", refusal.exception.next_step)

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
                keras_models.export(file, self.folder / "out")
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
                keras_models.export(rewritten, self.folder / "out")

    def test_what_is_no_model_is_refused(self) -> None:
        file = self.folder / "x.keras"
        for content in (b"PK\x03\x04", keras_files.HDF5 + b"\0" * 64):
            file.write_bytes(content)
            with self.refused("not a Keras model"):
                keras_models.export(file, self.folder / "out")


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
    def refused(self, words: str, ports: list[converter.Port], **arrays: np.ndarray) -> Refused:
        wanted = converter_rows.Wanted("net", ports, {"ids": 10})
        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch) / "rows.npz"
            np.savez(path, **arrays)
            with self.assertRaisesRegex(Refused, words) as refusal:
                converter_rows.from_arrays([path], wanted, print)
        return refusal.exception

    def test_each_input_needs_rows_of_its_shape_under_its_name(self) -> None:
        ports = [converter.Port(name, (3,), "float32", 1) for name in ("left", "right")]
        fine = np.zeros((5, 3))
        self.refused("right", ports, left=fine)
        self.refused("The array 'right' of rows.npz has the wrong shape", ports, left=fine, right=np.zeros((5, 4)))
        self.refused("5 and 6", ports, left=fine, right=np.zeros((6, 3)))
        self.refused("which input", ports, left=fine, other=fine)
        broken = np.zeros((5, 3))
        broken[3, 1] = np.nan
        self.refused("'right' of rows.npz has values that are not finite .*: row 3", ports, left=fine, right=broken)

    def test_what_does_not_fit_is_named_with_its_row(self) -> None:
        image = [converter.Port("image", (8, 6, 3), "float32", 1)]
        self.refused("channels first", image, image=np.zeros((5, 3, 8, 6)))
        self.refused("holds text", image, image=np.array(["a", "b"]))
        self.refused("no rows", image, image=np.zeros((0, 8, 6, 3)))
        ids = [converter.Port("ids", (4,), "int32", 1)]
        far = np.zeros((5, 4), np.int64)
        far[4, 2] = 10
        self.refused("rows.npz has an id that the model's table does not: 10 in row 4", ids, ids=far)
        self.refused("not whole numbers that int32 holds", ids, ids=np.full((5, 4), 2**40))

    def test_integers_of_another_width_and_whole_batches_are_taken(self) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch) / "ids.npy"
            np.save(path, np.arange(60, dtype=np.int64).reshape(5, 4, 3) % 10)
            wanted = converter_rows.Wanted("net", [converter.Port("ids", (3,), "int32", 4)], {"ids": 10})
            shown, apart = converter_rows.from_arrays([path], wanted, print)
            self.assertEqual((shown["ids"].shape, apart["ids"].shape, shown["ids"].dtype), ((16, 3), (4, 3), np.int32))
