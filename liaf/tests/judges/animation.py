"""Prints an animated PNG as Pillow reads it: number of frames, pause in ms, repetitions; then a line for each
frame, with the colour of each pixel as rrggbb."""

import sys

from PIL import Image

with Image.open(sys.argv[1]) as image:
    print(image.n_frames, image.info["duration"], image.info["loop"], *image.size)
    for number in range(image.n_frames):
        image.seek(number)
        pixels = image.convert("RGB").tobytes()
        print(*(pixels[i : i + 3].hex() for i in range(0, len(pixels), 3)))
