"""Outputs of different scales: small int8 graphs in which one scale for two of them rounds one away."""

from __future__ import annotations

import copy
import unittest
from typing import Any

import numpy as np
from envguard_payload.graph import facts, split_output_scales
from envguard_payload.graph import model as models
from envguard_payload.graph.build import GraphBuilder
from envguard_payload.graph.schema import BuiltinOperator, TensorType, generated
from envguard_payload.measuring.interpreting import Runner

random = np.random.default_rng(0)
FEATURES, BOXES, SCORES = 64, 4, 20
BOX_STEP, FINE_STEP, INPUT_STEP = 640 / 255, 4 / 255, 2 / 255
WEIGHTS = random.normal(0, 0.1, (BOXES + SCORES, FEATURES)).astype(np.float32)
INPUTS = [random.uniform(-1, 1, (1, FEATURES)).astype(np.float32) for _ in range(16)]


class Int8Builder:
    """A builder that also gives tensors scales."""

    def __init__(self) -> None:
        self.plain: Any = GraphBuilder()

    def scaled(self, name: str, shape: tuple[int, ...], scale: float, zero_point: int = 0) -> int:
        """An int8 tensor."""
        index: int = self.plain.tensor(name, shape, TensorType.INT8)
        self._scale(index, np.array([scale]), zero_point)
        return index

    def weights(self, name: str, array: np.ndarray, scale: np.ndarray | None = None) -> int:
        """An int8 constant with a scale per row, or an int32 one of those scales."""
        if scale is not None:
            index: int = self.plain.constant(name, np.round(array / scale).astype(np.int32))
            self._scale(index, scale, 0)
            return index
        steps = np.abs(array).reshape(len(array), -1).max(axis=1) / 127
        shape = (-1, *[1] * (array.ndim - 1))
        index = self.plain.constant(name, np.round(array / steps.reshape(shape)).astype(np.int8))
        self._scale(index, steps, 0)
        return index

    def _scale(self, index: int, scale: np.ndarray, zero_point: int) -> None:
        parameters = generated.QuantizationParametersT()
        parameters.scale = scale.astype(np.float32)
        parameters.zeroPoint = np.full(len(scale), zero_point, np.int64)
        parameters.quantizedDimension = 0
        self.plain.graph.tensors[index].quantization = parameters


def product(build: Int8Builder, source: int, weights: np.ndarray, step: float, bias: float = 0.0) -> int:
    """FULLY_CONNECTED from the source to a tensor of that step."""
    matrix = build.weights("weights", weights)
    scales = np.asarray(build.plain.graph.tensors[matrix].quantization.scale) * INPUT_STEP
    biases = build.weights("bias", np.full(len(weights), bias), scales)
    made = build.scaled("made", (1, len(weights)), step, -128 if bias else 0)
    options = generated.FullyConnectedOptionsT()
    build.plain.operator(BuiltinOperator.FULLY_CONNECTED, [source, matrix, biases], [made], options)
    return made


def begun() -> tuple[Int8Builder, int, int]:
    build = Int8Builder()
    x, source = build.plain.tensor("x", (1, FEATURES)), build.scaled("source", (1, FEATURES), INPUT_STEP)
    build.plain.operator(BuiltinOperator.QUANTIZE, [x], [source])
    return build, x, source


def ended(build: Int8Builder, x: int, made: int) -> Any:
    output = build.plain.tensor("output", build.plain.graph.tensors[made].shape)
    build.plain.operator(BuiltinOperator.DEQUANTIZE, [made], [output])
    return build.plain.finish([x], [output])


def detector(score_step: float, *, box_step: float = BOX_STEP, requantized: bool = True, reshaped: bool = False) -> Any:
    """Boxes (a hundred times the first weights) and scores joined under the scale of boxes."""
    build, x, source = begun()
    boxes = product(build, source, 100 * WEIGHTS[:BOXES], box_step)
    scores = product(build, source, WEIGHTS[BOXES:], score_step)
    if requantized:
        coarse = build.scaled("coarse", (1, SCORES), box_step)
        build.plain.operator(BuiltinOperator.QUANTIZE, [scores], [coarse])
        scores = coarse
    if reshaped:
        shape_options = generated.ShapeOptionsT()
        shape_options.outType = TensorType.INT32
        shape = build.plain.tensor("shape", (2,), TensorType.INT32)
        same = build.scaled("same", (1, SCORES), box_step)
        build.plain.operator(BuiltinOperator.SHAPE, [scores], [shape], shape_options)
        build.plain.operator(BuiltinOperator.RESHAPE, [scores, shape], [same])
        scores = same
    made = build.scaled("joined", (1, BOXES + SCORES), box_step)
    options = generated.ConcatenationOptionsT()
    options.axis = 1
    build.plain.operator(BuiltinOperator.CONCATENATION, [boxes, scores], [made], options)
    return ended(build, x, made)


def answers(model: Any) -> np.ndarray:
    runner = Runner(models.save(model))
    return np.concatenate([runner.answer([each])[0] for each in INPUTS])


def exact(scale: float = 100.0) -> np.ndarray:
    found: np.ndarray = np.concatenate(INPUTS) @ WEIGHTS.T
    found[:, :BOXES] *= scale
    return found


class JoinedOutputs(unittest.TestCase):
    def assert_scores_are_back(self, model: Any) -> None:
        before = copy.deepcopy(model)
        self.assertGreater(np.abs(answers(before) - exact())[:, BOXES:].max(), 0.5)
        self.assertGreater(split_output_scales.apply(model).changed, 0)
        self.assertLess(np.abs(answers(model) - exact())[:, BOXES:].max(), 0.02)
        self.assertLess(np.abs(answers(model) - exact())[:, :BOXES].max(), 2.0)

    def test_scores_that_are_rounded_to_the_step_of_boxes_keep_their_own(self) -> None:
        self.assert_scores_are_back(detector(FINE_STEP))

    def test_scores_that_are_made_with_the_step_of_boxes_are_made_in_float(self) -> None:
        self.assert_scores_are_back(detector(BOX_STEP, requantized=False))

    def test_a_shape_that_is_computed_keeps_no_int8_operator(self) -> None:
        model = detector(FINE_STEP, reshaped=True)
        self.assert_scores_are_back(model)
        self.assertEqual(facts.operator_counts(model)["FULLY_CONNECTED"], 2)

    def test_weights_stay_int8_where_they_are_many(self) -> None:
        model = detector(FINE_STEP)
        split_output_scales.apply(model)
        self.assertEqual(facts.weight_bytes(model)["INT8"], SCORES * FEATURES)
        self.assertLess(np.abs(answers(model) - exact())[:, BOXES:].max(), 0.02)

    def test_names_of_outputs_and_signatures_stay(self) -> None:
        model = detector(FINE_STEP)
        signature, entry = generated.SignatureDefT(), generated.TensorMapT()
        entry.name, entry.tensorIndex = b"y", model.subgraphs[0].outputs[0]
        signature.signatureKey, signature.subgraphIndex = b"serving_default", 0
        signature.inputs, signature.outputs = [], [entry]
        model.signatureDefs = [signature]
        split_output_scales.apply(model)
        self.assertEqual([port.name for port in facts.outputs(model)], ["output"])
        self.assertEqual(facts.signatures(model)[0].outputs, {"y": "output"})

    def test_parts_of_like_scales_stay_as_they_are(self) -> None:
        model = detector(FINE_STEP, box_step=2 * FINE_STEP)
        before = models.save(model)
        self.assertEqual(split_output_scales.apply(model).changed, 0)
        self.assertEqual(models.save(model), before)

    def test_what_loses_nothing_by_its_scales_is_rewritten_on_demand(self) -> None:
        model = detector(FINE_STEP, box_step=2 * FINE_STEP)
        self.assertGreater(split_output_scales.apply(model, everywhere=True).changed, 0)


class LargeOffsets(unittest.TestCase):
    def test_small_differences_around_a_large_bias_are_computed_in_float(self) -> None:
        build, x, source = begun()
        model = ended(build, x, product(build, source, WEIGHTS[:1], 1010 / 255, bias=1000.0))
        self.assertLess(len(np.unique(answers(model))), 4)
        self.assertEqual(split_output_scales.apply(model).changed, 1)
        self.assertLess(np.abs(answers(model) - 1000 - exact(1.0)[:, :1]).max(), 0.02)


class RoundedConstants(unittest.TestCase):
    def test_a_factor_that_int8_made_zero_is_taken_from_the_float_model(self) -> None:
        factors = np.array([640.0, 640, 640, 640, *[1.0] * SCORES], np.float32)
        build, x, source = begun()
        narrow = product(build, source, WEIGHTS, FINE_STEP)
        steps = build.scaled("factors", (len(factors),), 640 / 127)
        values = build.plain.constant("values", np.round(factors / (640 / 127)).astype(np.int8))
        build.plain.graph.tensors[steps].buffer = build.plain.graph.tensors[values].buffer
        made = build.scaled("scaled", (1, len(factors)), 640 * FINE_STEP)
        build.plain.operator(BuiltinOperator.MUL, [narrow, steps], [made], generated.MulOptionsT())
        model = ended(build, x, made)
        self.assertEqual(np.abs(answers(model)[:, BOXES:]).max(), 0.0)

        original = GraphBuilder()
        inputs, hidden, output = (original.tensor(each, (1, len(factors))) for each in ("x", "hidden", "output"))
        original.operator(BuiltinOperator.RELU, [inputs], [hidden])
        constant = original.constant("factors", factors)
        original.operator(BuiltinOperator.MUL, [hidden, constant], [output], generated.MulOptionsT())
        split_output_scales.apply(model, original.finish([inputs], [output]))
        self.assertLess(np.abs(answers(model) - exact(640.0))[:, BOXES:].max(), 0.02)


if __name__ == "__main__":
    unittest.main()
