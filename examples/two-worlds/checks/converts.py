"""TensorFlow can do what this project needs: trace a function and convert it to a TFLite model."""

import tensorflow as tf


@tf.function(input_signature=[tf.TensorSpec([1, 4], tf.float32)])
def double(values: tf.Tensor) -> tf.Tensor:
    return 2.0 * values


model = tf.lite.TFLiteConverter.from_concrete_functions([double.get_concrete_function()]).convert()
assert model[4:8] == b"TFL3", model[:8]
