"""Ten steps of torch.optim.Adam, AdamW and SGD, and of LARS, for tests/test_optimiser.c.

    python3 tests/golden/optimiser.py > tests/golden/golden_optimiser.h

The gradient of element i in step s is ((7 i + 3 s) mod 11 - 5) / 8 * 64^-i, the weights start at
(i - 2.5) / 4, the rate of step s is 0.002 s: all exact in float32 but the rate.

LARS is not in PyTorch. It is written here in float64 from section 5 of You, Gitman and Ginsburg
(2017, arXiv 1708.03888), v <- m v + rate * trust |w| / |g + b w| * (g + b w), w <- w - v, where the
length of g + b w stands in for |g| + b |w|, as SimCLR's published optimiser has it. Its weights are
those of a pixel network of 2 bands, 1 output, 3 channels and 1 layer, one parameter after the
other: element j of parameter p starts at ((5 j + 3 p) mod 13 - 6) / 8 and has the gradient
((7 j + 3 s + p) mod 11 - 5) / 16 in step s. Parameters of rank 1 are neither decayed nor adapted.
"""
import numpy
import torch

STEPS, COUNT = 10, 6


def run(cls, **options):
    weight = torch.nn.Parameter((torch.arange(COUNT, dtype=torch.float32) - 2.5) / 4)
    optimiser = cls([weight], lr=1.0, weight_decay=0.1, **options)
    rows = []
    for step in range(1, STEPS + 1):
        weight.grad = torch.tensor(
            [((7 * i + 3 * step) % 11 - 5) / 8 * 64.0**-i for i in range(COUNT)])
        optimiser.param_groups[0]["lr"] = 0.002 * step
        optimiser.step()
        rows.append(weight.detach().tolist())
    return rows


def lars(shapes, momentum=0.9, decay=0.1, trust=0.001):
    weights = [((5 * numpy.arange(numpy.prod(shape)) + 3 * p) % 13 - 6.0) / 8
               for p, shape in enumerate(shapes)]
    speeds = [numpy.zeros_like(w) for w in weights]
    for step in range(1, STEPS + 1):
        for p, shape in enumerate(shapes):
            w = weights[p]
            direction = ((7 * numpy.arange(w.size) + 3 * step + p) % 11 - 5.0) / 16
            rate = 2.0 * step
            if len(shape) > 1:
                direction = direction + decay * w
                rate *= trust * numpy.linalg.norm(w) / numpy.linalg.norm(direction)
            speeds[p] = momentum * speeds[p] + rate * direction
            weights[p] = w - speeds[p]
    return numpy.concatenate(weights)


print(f"/* Made by tests/golden/optimiser.py with PyTorch {torch.__version__}. */")
adam = {"betas": (0.9, 0.999), "eps": 1e-8}
for name, cls, options in (("adam", torch.optim.Adam, adam), ("adamw", torch.optim.AdamW, adam),
                           ("sgd", torch.optim.SGD, {"momentum": 0.9})):
    print(f"static const double golden_{name}[{STEPS}][{COUNT}] = {{")
    for row in run(cls, **options):
        print("    {" + ", ".join(f"{value:.9g}" for value in row) + "},")
    print("};")
shapes = [(3, 2, 1, 1), (3,), (3,), (1, 3, 1, 1), (1,)]
print(f"/* Weights after {STEPS} steps. */")
print(f"static const double golden_lars[{sum(int(numpy.prod(s)) for s in shapes)}] = {{")
for value in lars(shapes):
    print(f"    {value:.12g},")
print("};")
