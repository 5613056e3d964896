"""From TensorFlow models to TensorFlow Lite."""

import os

# oneDNN sums in an order that depends on the machine. All of it must be set before TensorFlow is imported, by whichever
# module comes first.
os.environ.update(TF_ENABLE_ONEDNN_OPTS="0", TF_CPP_MIN_LOG_LEVEL="2", CUDA_VISIBLE_DEVICES="-1")
