"""Views of one patch as PyTorch and NumPy make them, for tests/test_augment.c.

    python3 tests/golden/augment.py > tests/golden/golden_augment.h

The random numbers are those of models/train/paugment.h: line n of the table draws from stream
(16 + n + 256 view) << 48 | epoch, from number sample * 2^32 on; the choice from line 32, from number
8 * sample on. What is done with them is done here by other means: torch.nn.functional's interpolate,
grid_sample, pad and conv2d, numpy's roll and rot90.
"""
import itertools
import math
import sys

import numpy as np
import torch
import torch.nn.functional as F

import philox

SEED, EPOCH, CHANNELS, SIZE, STEP = 11, 2, 3, 40, 149
PIXELS = SIZE * SIZE
VIEWS = [(3, 0), (8, 1), (12, 0), (28, 0)]
MEAN = np.array([0.2, 0.3, 0.4], np.float32).astype(np.float64)
STD = np.array([0.1, 0.15, 0.2], np.float32).astype(np.float64)
TABLE = ("flip rot90 shift blur gain roll zoom rotate brightness contrast scale blur5 speckle crop "
         "jitter band-gain band-drop gaussian").split()


def patch():
    u = philox.uniform(5, 5, CHANNELS * PIXELS).astype(np.float32).reshape(CHANNELS, SIZE, SIZE)
    level = np.float32(0.05) * np.arange(1, CHANNELS + 1, dtype=np.float32)
    return (level[:, None, None] + np.float32(0.3) * u).astype(np.float64)


def per_band(values):
    return np.asarray(values)[:, None, None]


def roll(x, u):
    down, right = int(u[0] * (SIZE // 10)), int(u[1] * (SIZE // 10))
    return np.roll(x, (down, right), axis=(1, 2))


def zoom(x, u):
    # grid_sample with align_corners counts -1 .. 1 from the first pixel's centre to the last's
    y1, x1, y2, x2 = 2 * u[:4] - 1
    rows, columns = torch.linspace(y1, y2, SIZE), torch.linspace(x1, x2, SIZE)
    grid = torch.stack(torch.meshgrid(rows, columns, indexing="ij")[::-1], dim=-1)
    out = F.grid_sample(torch.tensor(x)[None], grid[None].double(), align_corners=True)
    return out[0].numpy()


def rotate(x, u):
    return np.rot90(x, -int(4 * u[0]), axes=(1, 2))


def brightness(x, u):
    return x + (0.8 * u[0] - 0.4) * per_band(STD)


def contrast(x, u):
    mean = x.mean(axis=(1, 2), keepdims=True)
    return mean + (0.6 + 0.8 * u[0]) * (x - mean)


def scale(x, u):
    z = (x - per_band(MEAN)) / per_band(STD)
    return (u[0] - 0.5) * z * per_band(STD) + per_band(MEAN)


def convolved(x, sigma, radius):
    weight = torch.exp(-torch.arange(-radius, radius + 1).double() ** 2 / (2 * sigma**2))
    kernel = torch.outer(weight, weight)
    kernel = (kernel / kernel.sum()).expand(CHANNELS, 1, -1, -1)
    padded = F.pad(torch.tensor(x)[None], [radius] * 4, mode="reflect")
    return F.conv2d(padded, kernel, groups=CHANNELS)[0].numpy()


def blur5(x, u):
    return convolved(x, 0.1 + 1.9 * u[0], 2)


def speckle(x, u):
    p, u = 0.02 * u[0], u[1:1 + x.size].reshape(x.shape)
    z = (x - per_band(MEAN)) / per_band(STD)
    z = np.where(u < p, -5, np.where(u >= 1 - p, 5, z))
    return z * per_band(STD) + per_band(MEAN)


def crop(x, u):
    for attempt in range(10):
        area, ratio, top, left = u[4 * attempt:4 * attempt + 4]
        area = 0.2 + 0.8 * area
        ratio = math.exp((2 * ratio - 1) * math.log(4 / 3))
        width = math.floor(SIZE * math.sqrt(area * ratio) + 0.5)
        height = math.floor(SIZE * math.sqrt(area / ratio) + 0.5)
        if 0 < width <= SIZE and 0 < height <= SIZE:
            i, j = int(top * (SIZE - height + 1)), int(left * (SIZE - width + 1))
            part = torch.tensor(x[None, :, i:i + height, j:j + width])
            return F.interpolate(part, (SIZE, SIZE), mode="bilinear", align_corners=False)[0].numpy()
    return x


def jitter(x, u):
    if u[0] >= 0.8:
        return x
    return 1.25 ** (2 * u[1] - 1) * x + (0.4 * u[2] - 0.2) * per_band(STD)


def band_gain(x, u):
    if u[0] >= 0.8:
        return x
    own = u[1:1 + 2 * CHANNELS].reshape(CHANNELS, 2)
    return per_band(1.1 ** (2 * own[:, 0] - 1)) * x + per_band((0.2 * own[:, 1] - 0.1) * STD)


def band_drop(x, u):
    drop = u[:CHANNELS] < np.float32(0.1)
    return x if drop.all() else np.where(per_band(drop), per_band(MEAN), x)


def gaussian(x, u):
    if u[0] >= 0.5:
        return x
    sigma = 0.1 + 1.9 * u[1]
    return convolved(x, sigma, math.ceil(3 * sigma))


def stream(line, view):
    return (16 + line + 256 * view) << 48 | EPOCH


BANNED = [{a, b} for a, b in (pair.split("+") for pair in (
    "brightness+contrast rotate+brightness flip+blur5 zoom+blur5 roll+flip rotate+blur5 flip+scale "
    "brightness+scale blur5+brightness").split())]
NINE = [line for line, name in enumerate(TABLE) if name in
        "roll zoom rotate flip brightness contrast scale blur5 speckle".split()]
PAIRS = [pair for pair in itertools.combinations(NINE, 2)
         if {TABLE[line] for line in pair} not in BANNED]


def chosen(sample, view):
    word = [int(w) for w in philox.words(SEED, stream(32, view), 8, 8 * sample)]
    pair = list(PAIRS[word[0] * len(PAIRS) >> 32])
    other = word[1] * 2 >> 32
    pair[1], pair[other] = pair[other], pair[1]
    return pair


print(f"/* Made by tests/golden/augment.py with PyTorch {torch.__version__}, NumPy {np.__version__}. "
      "*/")
print(f"enum {{ GOLDEN_SEED = {SEED}, GOLDEN_EPOCH = {EPOCH}, GOLDEN_SIZE = {SIZE}, "
      f"GOLDEN_STEP = {STEP},\n       GOLDEN_VALUES = {len(range(0, CHANNELS * PIXELS, STEP))} }};")
print("static const struct golden_view {\n    const char *name;\n    int sample, view;\n"
      "    double value[GOLDEN_VALUES]; /* every GOLDEN_STEP-th */\n} golden_views[] = {")
x = patch()
for line, name in list(enumerate(TABLE))[5:]:
    changed = 0
    for sample, view in VIEWS:
        u = philox.uniform(SEED, stream(line, view), 1 + x.size, sample << 32)
        y = globals()[name.replace("-", "_")](x, u)
        changed += not np.array_equal(x, y)
        print(f'    {{"{name}", {sample}, {view},\n     {{' +
              ",\n      ".join(", ".join(f"{v:.8g}" for v in row) for row in np.array_split(
                  y.reshape(-1)[::STEP], 4)) + "}},")
    if not changed:
        sys.exit(f"{name}: no view changes anything; take other samples")
print("};\n/* The two lines of \"simclr-s2\", views 0 of samples 0 to 19, then views 1. */\n"
      f"enum {{ GOLDEN_PAIRS = {len(PAIRS)} }};\nstatic const int golden_choice[40][2] = {{")
for view in range(2):
    for sample in range(20):
        print("    {%d, %d}," % tuple(chosen(sample, view)))
print("};")
