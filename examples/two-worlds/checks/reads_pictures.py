"""MediaPipe can do what this project needs: load its native code and decode a picture."""

import sys

import mediapipe as mp

picture = mp.Image.create_from_file(sys.argv[1])
assert picture.width > 0
assert picture.channels in (3, 4)
assert mp.tasks.vision.ImageClassifier
