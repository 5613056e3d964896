"""Train a linear model to recognise four colour casts in made-up pictures, and convert it: `teach.py MODEL LESSON`.

The same inputs give the same bytes: seeds are fixed and every sum has one order.
"""

import json
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import tensorflow as tf
from casts import CASTS, SIZE

PICTURES = 512
ROUNDS = 300
RATE = 2.0
PATCH = 8  # pixels; the model sees the mean colour of each patch


class Model(tf.Module):
    """Mean colours of 16 patches, one linear layer, softmax."""

    def __init__(self) -> None:
        patches = (SIZE // PATCH) ** 2
        self.weights = tf.Variable(tf.zeros([3 * patches, len(CASTS)]))
        self.bias = tf.Variable(tf.zeros([len(CASTS)]))

    def logits(self, pictures: tf.Tensor) -> tf.Tensor:
        means = tf.nn.avg_pool2d(tf.cast(pictures, tf.float32) / 255.0, PATCH, PATCH, "VALID")
        return tf.reshape(means, [-1, self.weights.shape[0]]) @ self.weights + self.bias

    @tf.function(input_signature=[tf.TensorSpec([1, SIZE, SIZE, 3], tf.uint8)])
    def classify(self, picture: tf.Tensor) -> tf.Tensor:
        return tf.nn.softmax(self.logits(picture))


def lessons() -> tuple[np.ndarray, np.ndarray]:
    """Noisy pictures whose colours lean towards one channel, or towards none."""
    random = np.random.default_rng(0)
    casts = random.integers(0, len(CASTS), PICTURES)
    colours = np.repeat(random.integers(60, 120, (PICTURES, 1)), 3, axis=1)
    leaning = casts < 3
    colours[leaning, casts[leaning]] += 60
    noise = random.integers(-40, 40, (PICTURES, SIZE, SIZE, 3))
    return np.clip(colours[:, None, None, :] + noise, 0, 255).astype(np.uint8), casts


def main(model_file: str, lesson_file: str) -> None:
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()
    pictures, casts = lessons()
    model = Model()
    for _ in range(ROUNDS):
        with tf.GradientTape() as tape:
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(casts, model.logits(pictures))
            loss = tf.reduce_mean(losses)
        slopes = tape.gradient(loss, model.trainable_variables)
        for variable, slope in zip(model.trainable_variables, slopes, strict=True):
            variable.assign_sub(RATE * slope)
    right = np.mean(np.argmax(model.logits(pictures), axis=1) == casts)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([model.classify.get_concrete_function()], model)
    Path(model_file).write_bytes(converter.convert())
    lesson = {"tensorflow": tf.__version__, "protobuf": version("protobuf"), "right": round(float(right), 3)}
    Path(lesson_file).write_text(json.dumps(lesson))


main(*sys.argv[1:])
