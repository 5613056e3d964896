"""What both steps share: the classes of the model, in order, and the size of its pictures."""

CASTS = ("red", "green", "blue", "none")
SIZE = 32  # pixels, both ways
