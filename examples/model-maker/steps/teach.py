"""Train Model Maker's text classifier on made-up sentences: `teach.py MODEL ROWS`.

Its averaged word embeddings are learnt from nothing, so no weights are downloaded. MODEL is the Keras model that Model
Maker itself would only convert; ROWS are sentences as the model reads them, to calibrate a conversion with.
"""

import csv
import random
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf
from mediapipe_model_maker import text_classifier

SENTENCES = 400
WORDS_OF = {
    "warm": ["sunny", "hot", "bright", "mild", "summer"],
    "cold": ["icy", "snow", "frozen", "winter", "frost"],
}
OTHERS = ["the", "day", "was", "we", "saw", "today", "and", "very", "outside"]


def sentences(path: Path) -> Path:
    """A table of sentences, each with two words that tell its label."""
    choose = random.Random(0)
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["text", "label"])
        for label in choose.choices(sorted(WORDS_OF), k=SENTENCES):
            words = choose.choices(OTHERS, k=6) + choose.sample(WORDS_OF[label], 2)
            rows.writerow([" ".join(choose.sample(words, len(words))), label])
    return path


def main(model_file: str, rows_file: str) -> None:
    tf.keras.utils.set_random_seed(0)
    tf.config.experimental.enable_op_determinism()
    table = text_classifier.CSVParams(text_column="text", label_column="label")
    data = text_classifier.Dataset.from_csv(filename=str(sentences(Path("sentences.csv"))), csv_params=table)
    lessons, exam = data.split(0.8)
    options = text_classifier.TextClassifierOptions(
        supported_model=text_classifier.SupportedModels.AVERAGE_WORD_EMBEDDING_CLASSIFIER,
        model_options=text_classifier.AverageWordEmbeddingModelOptions(seq_len=16, wordvec_dim=64),
        hparams=text_classifier.AverageWordEmbeddingHParams(
            epochs=20, batch_size=16, learning_rate=0.01, export_dir="made"
        ),
    )
    classifier = text_classifier.TextClassifier.create(lessons, exam, options)
    _, right, *_ = classifier.evaluate(exam)
    assert right > 0.95, right
    classifier._model.save(model_file, save_format="h5")  # a .keras file tells when it was saved
    read = classifier._text_preprocessor.preprocess(exam)
    rows = [np.asarray(row).reshape(-1) for row, _ in read.gen_tf_dataset(batch_size=1).as_numpy_iterator()]
    np.save(rows_file, np.stack(rows).astype(np.int32))


main(*sys.argv[1:])
