"""From TensorFlow models to TensorFlow Lite."""
