"""Int8 weights that convolutions read themselves: what is rounded then, what is split, and what is left in float16."""

from __future__ import annotations

import copy
import dataclasses
import unittest
from typing import Any

import numpy as np
from envguard_payload.contract import GPU, ROADS, WEB_GPU
from envguard_payload.graph import balanced_rounding, facts
from envguard_payload.graph import model as models
from envguard_payload.graph.build import GraphBuilder
from envguard_payload.graph.constants import add_buffer, values
from envguard_payload.graph.passes import multiply_out, split_signs
from envguard_payload.graph.schema import BuiltinOperator, generated
from envguard_payload.int8 import input_rounding, int8_convolutions, quantizing, recipes, searching
from envguard_payload.int8.drafting import Draft
from envguard_payload.int8.goals import BALANCED, Goal
from envguard_payload.int8.recipes import Recipe
from envguard_payload.int8.treatments import Form, Treatment
from envguard_payload.measuring import bench
from envguard_payload.measuring.interpreting import Runner
from envguard_payload.protocol import Refused
from envguard_payload.roads.forms import form_on, roads_of
from envguard_payload.roads.lint import linted
from envguard_payload.roads.members import Runner as RunBy

random = np.random.default_rng(0)
CHANNELS = 32
bench.SECONDS = 0.02
DIRECT = BALANCED.for_form(Form.READ_DIRECTLY)


def convolution(build: GraphBuilder, source: int, channels: int, kernel: int = 1) -> Any:
    """With as many pixels less as the kernel has."""
    before = build.graph.tensors[source].shape
    options = generated.Conv2DOptionsT()
    options.strideH = options.strideW = options.dilationHFactor = options.dilationWFactor = 1
    options.padding = generated.Padding.VALID
    side = before[1] - kernel + 1
    made = build.tensor("made", [1, side, side, channels])
    weights = random.normal(0, 0.3, (channels, kernel, kernel, before[3])).astype(np.float32)
    inputs = [source, build.constant("kernel", weights), build.constant("bias", random.random(channels, np.float32))]
    build.operator(BuiltinOperator.CONV_2D, inputs, [made], options)
    return made


def slopes(build: GraphBuilder, source: int) -> Any:
    made = build.tensor("made", build.graph.tensors[source].shape)
    alpha = build.constant("slopes", np.full((1, 1, build.graph.tensors[source].shape[3]), 0.1, np.float32))
    build.operator(BuiltinOperator.PRELU, [source, alpha], [made])
    return made


def network() -> bytes:
    """Two layers of one pixel's width, and a last one that sees all pixels and holds most of the weights."""
    build = GraphBuilder()
    image = build.tensor("image", (1, 4, 4, CHANNELS))
    hidden = slopes(build, convolution(build, slopes(build, convolution(build, image, CHANNELS)), CHANNELS))
    return bytes(models.save(build.finish([image], [convolution(build, hidden, 64, kernel=4)])))


def inputs(count: int, seed: int) -> np.ndarray:
    """With a few values that are much larger than the rest, as behind real layers."""
    numbers = np.random.default_rng(seed)
    wide = np.exp(2 * numbers.standard_normal((count, 4, 4, CHANNELS)))
    return np.asarray(numbers.standard_normal(wide.shape) * wide, np.float32)


def order(data: bytes, goal: Goal = BALANCED, form: Form = Form.READ_DIRECTLY) -> quantizing.Order:
    rows = {"net": inputs(24, 1)}, {"net": inputs(8, 2)}
    return quantizing.Order(len(data), *rows, goal=goal, forms={"net": form})


def one_layer(kernel: int) -> tuple[Any, bytes]:
    """A layer in float, its weights on steps of int8, and the same as the runtime computes it in int8."""
    build = GraphBuilder()
    image = build.tensor("image", (1, 4, 4, CHANNELS))
    model = build.finish([image], [convolution(build, image, 16, kernel)])
    weights = model.subgraphs[0].tensors[model.subgraphs[0].operators[0].inputs[1]]
    weights.buffer = add_buffer(model, balanced_rounding.representable(values(model, weights), 0))
    draft = Draft("net", copy.deepcopy(model), recipes.layers(model, 0), None, (), Form.READ_DIRECTLY)
    return model, draft.finish(Recipe((Treatment.DYNAMIC,))).data


class InputRounding(unittest.TestCase):
    def test_inputs_are_rounded_as_the_runtime_does(self) -> None:
        for kernel, row_by_row in ((1, True), (2, False), (4, False)):
            model, in_int8 = one_layer(kernel)
            in_float, real = Runner(models.save(model)), Runner(in_int8)
            for row in inputs(4, 3):
                (answer,) = real.answer([row[None]])
                (foreseen,) = in_float.answer([input_rounding.rounded(row[None], row_by_row)])
                (exact,) = in_float.answer([row[None]])
                off, left = np.abs(answer - exact).max(), np.abs(answer - foreseen).max()
                self.assertLess(left, off / 100, kernel)

    def test_what_lies_on_steps_stays(self) -> None:
        whole = np.arange(256, dtype=np.float32).reshape(1, 1, 1, 256) - 100
        np.testing.assert_array_equal(input_rounding.rounded(whole, row_by_row=True), whole)
        np.testing.assert_array_equal(input_rounding.rounded(whole * 0, row_by_row=False), whole * 0)


class Gains(unittest.TestCase):
    def test_what_was_kept_from_int8_for_its_error_is_not_made_int8_for_its_time(self) -> None:
        data = network()
        draft = Draft.of(models.load(data, "net"), "net", DIRECT, file_bytes=1, arrays={}, compressed_from=None)
        before = Recipe((Treatment.DYNAMIC, Treatment.FLOAT, Treatment.SPLIT))
        gains = [
            int8_convolutions.Gain(layer, treatment, 1.0, 0.1)
            for layer in range(3)
            for treatment in (Treatment.DYNAMIC, Treatment.MERGED)
        ]
        left = searching._still_to_gain(draft, before, gains)
        self.assertEqual([(each.layer, each.treatment) for each in left], [(0, Treatment.MERGED)])
        anything = dataclasses.replace(draft, form=Form.ANY)
        self.assertEqual(searching._still_to_gain(anything, before, gains), gains)


class SplitSigns(unittest.TestCase):
    def split(self, data: bytes, treatment: Treatment) -> bytes:
        model = models.load(data, "net")
        draft = Draft.of(model, "net", DIRECT, file_bytes=len(data), arrays={}, compressed_from=None)
        return bytes(draft.finish(Recipe((Treatment.FLOAT, Treatment.FLOAT, treatment))).data)

    def test_answers_stay_in_float(self) -> None:
        data = network()
        model = models.load(data, "net")
        output = model.subgraphs[0].outputs[0]
        self.assertEqual(split_signs.apply(model, [output]).changed, 1)
        for row in inputs(3, 4):
            before, after = (Runner(each).answer([row[None]])[0] for each in (data, models.save(model)))
            np.testing.assert_allclose(after, before, rtol=1e-4, atol=1e-3)

    def test_a_split_layer_errs_less_and_its_weights_are_stored_once(self) -> None:
        data = network()
        plain, split = (self.split(data, each) for each in (Treatment.DYNAMIC, Treatment.SPLIT))
        self.assertLess(len(split), 1.05 * len(plain))
        errors = []
        for made in (plain, split):
            pairs = ([Runner(each).answer([row[None]])[0] for each in (data, made)] for row in inputs(12, 5))
            errors.append(float(np.mean([np.mean((one - other) ** 2) for one, other in pairs])))
        self.assertLess(errors[1], errors[0])


class Searching(unittest.TestCase):
    def test_everything_is_read_directly_and_gpus_take_it(self) -> None:
        data = network()
        goal = dataclasses.replace(BALANCED, direct_error=1e6)
        made = quantizing.quantize(data, "net", order(data, goal)).data
        model = models.load(made, "net")
        self.assertNotIn("DEQUANTIZE", facts.operator_counts(model))
        self.assertEqual({lint.road: lint.verdict for lint in linted(model)}, dict.fromkeys(ROADS, "taken"))

    def test_layers_go_back_to_float16_and_large_ones_are_split_until_the_error_is_small_enough(self) -> None:
        data = network()
        whole = quantizing.quantize(data, "net", order(data, dataclasses.replace(BALANCED, direct_error=1e6)))
        (error,) = (each.error for each in whole.candidates if each.name == "int8 weights read directly")
        assert error is not None
        less = quantizing.quantize(data, "net", order(data, dataclasses.replace(BALANCED, direct_error=0.3 * error)))
        taken = next(each for each in less.candidates if each.outcome == "taken")
        assert taken.error is not None
        self.assertLessEqual(taken.error, 0.3 * error)
        assert less.applied is not None
        self.assertLess(set(less.applied.treatments), {Treatment.DYNAMIC, Treatment.SPLIT, Treatment.FLOAT})
        self.assertNotEqual(set(less.applied.treatments), {Treatment.DYNAMIC})
        verdicts = {lint.verdict for lint in linted(models.load(less.data, "net"))}
        self.assertEqual(verdicts, {"taken"})

    def test_the_same_recipe_gives_the_same_bytes(self) -> None:
        data = network()
        first = quantizing.quantize(data, "net", order(data))
        assert first.applied is not None
        again = dataclasses.replace(order(data), recipes={"net": first.applied})
        self.assertEqual(quantizing.quantize(data, "net", again).data, first.data)

    def test_for_a_gpu_alone_the_error_is_that_of_the_weights(self) -> None:
        data = network()
        outcomes = [
            quantizing.quantize(data, "net", order(data, dataclasses.replace(BALANCED, direct_error=1e6), form))
            for form in (Form.READ_DIRECTLY, Form.MULTIPLIED_OUT)
        ]
        anywhere, gpu = (outcome.candidates[1].error for outcome in outcomes)
        assert anywhere is not None
        assert gpu is not None
        self.assertLess(gpu, anywhere)

    def test_multiplied_out_it_answers_as_the_weights_alone_do(self) -> None:
        data = network()
        goal = dataclasses.replace(BALANCED, direct_error=1e6)
        made = quantizing.quantize(data, "net", order(data, goal, Form.MULTIPLIED_OUT)).data
        model = models.load(made, "net")
        self.assertEqual(multiply_out.apply(model).changed, 3)
        weights = quantizing.quantize(data, "net", order(data, goal, Form.ANY)).data
        for row in inputs(3, 6):
            one, other = (Runner(each).answer([row[None]])[0] for each in (models.save(model), weights))
            np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-2)


class Forms(unittest.TestCase):
    def test_a_model_that_no_gpu_takes_may_have_any_form(self) -> None:
        lints = linted(models.load(network(), "net"))
        refused = tuple(dataclasses.replace(each, verdict="refused") for each in lints)
        self.assertEqual(form_on(ROADS, lints, RunBy.DELEGATE), Form.READ_DIRECTLY)
        self.assertEqual(form_on(ROADS, refused, RunBy.DELEGATE), Form.ANY)
        self.assertEqual(form_on(ROADS, lints, RunBy.PROCESSOR), Form.ANY)

    def test_roads_decide_the_form(self) -> None:
        lints = linted(models.load(network(), "net"))
        wanted = {
            "cpu": Form.ANY,
            "gpu": Form.MULTIPLIED_OUT,
            "web": Form.READ_DIRECTLY,
            "anywhere": Form.READ_DIRECTLY,
        }
        for target, form in wanted.items():
            self.assertEqual(form_on(roads_of(target), lints, RunBy.DELEGATE), form, target)
        self.assertEqual({GPU, WEB_GPU} - set(roads_of("anywhere")), set())
        with self.assertRaises(Refused):
            roads_of("moon")


if __name__ == "__main__":
    unittest.main()
