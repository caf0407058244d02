# mypy: disable-error-code="no-untyped-def"
# numba infers the types of its kernels; the docstrings tell them.
"""Developing of colour images: compiled kernels that blur, map colours and add grain, one frame at a time, in place."""

import numpy as np

from .compiled import ZERO, jit
from .hash_kernels import fill_gaussian, random_word, unit

_HALF, _WHITE = np.float32(0.5), np.float32(255.0)
_EYE_KEYS, _BLUR_KEY = 4, 8
"""An image has so many keys, the last of which is the salt of the others; blur has two."""


@jit
def develop_frames(frames, maps, keys, steps, eye, sigma, blur, blur_length, images):
    """Develop images [n, 3, H, W] uint8 of the environments `frames` [n].

    maps [N, 3, 4], keys [N, 10] and steps [N] are indexed by `frames`, see `Film`; `eye` is 0 or 1; sigma in 255 parts;
    the share `blur` of the frames, the same for both eyes, is blurred along a line of up to `blur_length` pixels.
    """
    height, width = images.shape[2:]
    margin = blur_length // 2 + 1 if blur > ZERO else 0
    padded = np.empty((height + 2 * margin, width + 2 * margin), np.uint8)
    lines = np.empty((4, width), np.float32)
    now = np.empty(keys.shape[1], np.uint32)
    for i in range(len(frames)):
        n = frames[i]
        for k in range(len(now)):
            now[k] = random_word(np.uint32(steps[n]), keys[n, k], keys[n, len(now) - 1 - k])
        if unit(now[_BLUR_KEY]) <= blur:
            angle = np.pi * unit(random_word(np.uint32(0), now[_BLUR_KEY + 1], now[_BLUR_KEY]))
            share = unit(random_word(np.uint32(1), now[_BLUR_KEY + 1], now[_BLUR_KEY]))
            length = min(2 + np.int64(share * (blur_length - 1)), blur_length)
            for c in range(3):
                _blur(images[i, c], angle, length, margin, padded, lines[0])
        first = eye * _EYE_KEYS
        _map(images[i], maps[n], sigma, now[first : first + _EYE_KEYS], lines)


@jit
def _blur(channel, angle, length, margin, padded, line):
    """Make each pixel the mean of a line of pixels, those at the border standing for what lies beyond it."""
    height, width = channel.shape
    for v in range(len(padded)):
        row = channel[min(max(v - margin, 0), height - 1)]
        padded[v, margin : margin + width] = row
        padded[v, :margin] = row[0]
        padded[v, margin + width :] = row[width - 1]
    right, down, each = np.cos(angle), np.sin(angle), np.float32(1.0 / length)
    # So that each step comes to another pixel.
    stride = 1.0 / max(abs(right), abs(down))
    for v in range(height):
        line[:] = ZERO
        for k in range(length):
            along = stride * (k - length // 2)
            x, y = margin + np.int64(np.rint(along * right)), margin + v + np.int64(np.rint(along * down))
            taken = padded[y, x : x + width]
            for u in range(width):
                line[u] += np.float32(taken[u])
        out = channel[v]
        for u in range(width):
            out[u] = np.uint8(line[u] * each + _HALF)


@jit
def _map(image, colours, sigma, keys, lines):
    """Map the colours of image [3, H, W] by colours [3, 4], add grain, and cut off at 0 and 255."""
    height, width = image.shape[1:]
    red, green, blue, grain = lines[0], lines[1], lines[2], lines[3]
    grain[:] = ZERO
    for v in range(height):
        for c in range(3):
            line, row = lines[c], image[c, v]
            for u in range(width):
                line[u] = np.float32(row[u])
        for c in range(3):
            if sigma > ZERO:
                fill_gaussian(np.uint32(v * width), keys[c], keys[3], grain)
            a, b, d, offset = colours[c, 0], colours[c, 1], colours[c, 2], colours[c, 3]
            row = image[c, v]
            for u in range(width):
                value = a * red[u] + b * green[u] + d * blue[u] + offset + sigma * grain[u]
                row[u] = np.uint8(min(max(value, ZERO), _WHITE) + _HALF)
