"""Models are loaded only if every part of them can be followed, and saved to the same bytes for the same model."""

from __future__ import annotations

import random
import unittest
from collections.abc import Callable
from typing import Any

import numpy as np
from envguard_payload.contract import IntegerTensors
from envguard_payload.graph import constants, facts, metadata
from envguard_payload.graph import model as models
from envguard_payload.graph.build import GraphBuilder
from envguard_payload.graph.normalization import UNIT, declared_ranges, input_ranges
from envguard_payload.graph.schema import BuiltinOperator, generated
from envguard_payload.measuring.interpreting import Runner
from envguard_payload.protocol import Refused


def small_model() -> GraphBuilder:
    build = GraphBuilder()
    source, output = build.tensor("input", (1, 8)), build.tensor("output", (1, 4))
    weights = build.constant("weights", np.arange(32, dtype=np.float32).reshape(4, 8))
    build.operator(BuiltinOperator.FULLY_CONNECTED, [source, weights, -1], [output], generated.FullyConnectedOptionsT())
    build.finish([source], [output])
    return build


def refusal(data: bytes) -> str:
    """Why `data` is not taken, or nothing if it is; any other error fails the test."""
    try:
        models.load(data, "the model")
    except Refused as refused:
        return f"{refused.what} {refused.why}"
    return ""


class Saving(unittest.TestCase):
    def test_a_saved_model_loads_and_saves_to_the_same_bytes(self) -> None:
        data = models.save(small_model().model)
        self.assertEqual(models.save(models.load(data, "it")), data)

    def test_constants_are_aligned(self) -> None:
        data = models.save(small_model().model)
        self.assertEqual(data.index(np.arange(32, dtype=np.float32).tobytes()) % 16, 0)

    def test_equal_vectors_are_written_once(self) -> None:
        build = small_model()
        for number in range(3):
            tensor = build.graph.tensors[build.constant(f"int8 {number}", np.full((500, 1), number, np.int8))]
            tensor.quantization = generated.QuantizationParametersT()
            tensor.quantization.scale = np.full(500, 0.1, np.float32)
            tensor.quantization.zeroPoint = np.zeros(500, np.int64)
        self.assertLess(len(models.save(build.model)), 3 * 500 + 12 * 500 + 2_000)

    def test_the_runtime_runs_what_was_saved(self) -> None:
        answer = Runner(models.save(small_model().model)).answer([np.ones((1, 8), np.float32)])
        np.testing.assert_array_equal(answer[0], [[28, 92, 156, 220]])


class Damage(unittest.TestCase):
    def test_a_model_cut_off_anywhere_is_refused(self) -> None:
        data = models.save(small_model().model)
        for length in range(len(data)):
            self.assertTrue(refusal(data[:length]), length)

    def test_random_bytes_are_refused(self) -> None:
        source = random.Random(0)
        for _ in range(200):
            self.assertTrue(refusal(source.randbytes(4) + b"TFL3" + source.randbytes(500)))

    def test_changed_bytes_are_refused_or_loaded_and_never_anything_else(self) -> None:
        data = models.save(small_model().model)
        for position in range(len(data)):
            for value in (0, 1, 0x7F, 0xFF):
                refusal(data[:position] + bytes([value]) + data[position + 1 :])


class Contradictions(unittest.TestCase):
    def check(self, change: Callable[[Any], None], words: str) -> None:
        build = small_model()
        change(build)
        self.assertIn(words, refusal(models.save(build.model)))

    def test_an_operator_that_names_a_tensor_that_is_not_there(self) -> None:
        self.check(lambda build: build.graph.operators[0].inputs.__setitem__(0, 77), "names tensor 77 of 3")

    def test_an_operator_without_its_weights(self) -> None:
        self.check(lambda build: build.graph.operators[0].inputs.__setitem__(1, -1), "lacks an input")

    def test_an_operator_that_reads_what_comes_later(self) -> None:
        self.check(lambda build: build.graph.operators[0].inputs.__setitem__(0, 1), "before it is made")

    def test_a_tensor_with_two_producers(self) -> None:
        self.check(lambda build: build.graph.operators.append(build.graph.operators[0]), "two producers")

    def test_a_buffer_that_is_not_there(self) -> None:
        self.check(lambda build: setattr(build.graph.tensors[0], "buffer", 9), "names buffer 9 of 2")

    def test_a_constant_of_another_size_than_its_shape(self) -> None:
        self.check(lambda build: setattr(build.graph.tensors[2], "shape", [4, 9]), "needs 144 bytes and has 128")

    def test_a_tensor_that_claims_gigabytes(self) -> None:
        self.check(lambda build: setattr(build.graph.tensors[0], "shape", [1 << 15, 1 << 15]), "claims 1,073,741,824")

    def test_no_subgraph(self) -> None:
        self.check(lambda build: setattr(build.model, "subgraphs", []), "no subgraph")


class Facts(unittest.TestCase):
    def test_what_is_said_of_a_model(self) -> None:
        model = small_model().model
        self.assertEqual(facts.operator_counts(model), {"FULLY_CONNECTED": 1})
        self.assertEqual(facts.weight_bytes(model), {"FLOAT32": 128})
        self.assertEqual(facts.integer_quantized(model), IntegerTensors(0, 0))
        self.assertEqual(facts.outputs(model)[0].shape, (1, 4))

    def test_an_int8_constant_with_a_scale_makes_a_model_quantized(self) -> None:
        build = small_model()
        tensor = build.graph.tensors[build.constant("int8", np.ones((4,), np.int8))]
        tensor.quantization = generated.QuantizationParametersT()
        tensor.quantization.scale = np.array([0.5], np.float32)
        self.assertEqual(facts.integer_quantized(build.model), IntegerTensors(1, 1))

    def test_damaged_metadata_costs_the_range_of_inputs_and_no_more(self) -> None:
        build = small_model()
        source = random.Random(0)
        for length in range(200):
            entries = ((b"TFLITE_METADATA", source.randbytes(length)),)
            metadata.give_back(build.model, metadata.Metadata(entries, ()))
            self.assertEqual(len(input_ranges(build.model)), 1)
            metadata.take(build.model)
        self.assertEqual(input_ranges(build.model), [UNIT])
        self.assertEqual(declared_ranges(build.model), {})

    def test_constants_are_read_in_their_own_type(self) -> None:
        build = small_model()
        self.assertEqual(constants.values(build.model, build.graph.tensors[2]).dtype, np.float32)


if __name__ == "__main__":
    unittest.main()
