"""Model Maker can do what this project needs: load TensorFlow and MediaPipe together, and number words."""

from mediapipe_model_maker import image_classifier, text_classifier
from mediapipe_model_maker.python.text.text_classifier import preprocessor

words = preprocessor.AverageWordEmbeddingClassifierPreprocessor(
    seq_len=4, do_lower_case=True, texts=[b"a warm day"], vocab_size=10
)
assert {"warm", "day"} <= set(words.get_vocab())
assert text_classifier.TextClassifier
assert image_classifier.ImageClassifier
