"""The road `gpu`: MediaPipe's GPU delegate, in a process of its own, on whatever draws OpenGL ES here."""
