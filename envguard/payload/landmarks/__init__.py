"""MediaPipe's landmarkers: what they see, what they find, how far two of them are apart."""
