"""Ten steps of torch.optim.Adam and AdamW, for tests/test_optimiser.c.

    python3 tests/golden/optimiser.py > tests/golden/golden_optimiser.h

The gradient of element i in step s is ((7 i + 3 s) mod 11 - 5) / 8 * 64^-i, the weights start at
(i - 2.5) / 4, the rate of step s is 0.002 s: all exact in float32 but the rate.
"""
import torch

STEPS, COUNT = 10, 6


def run(cls):
    weight = torch.nn.Parameter((torch.arange(COUNT, dtype=torch.float32) - 2.5) / 4)
    optimiser = cls([weight], lr=1.0, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.1)
    rows = []
    for step in range(1, STEPS + 1):
        weight.grad = torch.tensor(
            [((7 * i + 3 * step) % 11 - 5) / 8 * 64.0**-i for i in range(COUNT)])
        optimiser.param_groups[0]["lr"] = 0.002 * step
        optimiser.step()
        rows.append(weight.detach().tolist())
    return rows


print(f"/* Made by tests/golden/optimiser.py with PyTorch {torch.__version__}. */")
for name, cls in (("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW)):
    print(f"static const double golden_{name}[{STEPS}][{COUNT}] = {{")
    for row in run(cls):
        print("    {" + ", ".join(f"{value:.9g}" for value in row) + "},")
    print("};")
