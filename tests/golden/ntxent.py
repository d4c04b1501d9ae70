"""NT-Xent of small batches by PyTorch in float64, for tests/test_ntxent.c.

    python3 tests/golden/ntxent.py > tests/golden/golden_ntxent.h

The loss is written with a full matrix of logits, masks and torch's own cross entropy; autograd makes
the gradient. Number k of view i is ((7 i + 13 k + i k k) mod 23 - 11) / 8, exact in float32.
"""
import torch

N, D = 5, 6
CASES = [("plain", 0.5, None), ("cold", 0.05, None), ("places", 0.2, [4, 1, 4, 0, 1])]


def embeddings():
    rows = [[((7 * i + 13 * k + i * k * k) % 23 - 11) / 8 for k in range(D)] for i in range(2 * N)]
    return torch.tensor(rows, dtype=torch.float64, requires_grad=True)


def loss_of(z, temperature, place):
    unit = torch.nn.functional.normalize(z, dim=1)
    logits = unit @ unit.T / temperature
    patch = torch.arange(2 * N) // 2
    mask = torch.eye(2 * N, dtype=torch.bool)
    if place is not None:
        number = torch.tensor(place)[patch]
        mask |= (number[:, None] == number[None, :]) & (patch[:, None] != patch[None, :])
    target = torch.arange(2 * N) ^ 1
    return torch.nn.functional.cross_entropy(logits.masked_fill(mask, -torch.inf), target)


print(f"/* Made by tests/golden/ntxent.py with PyTorch {torch.__version__}. */")
for name, temperature, place in CASES:
    z = embeddings()
    loss = loss_of(z, temperature, place)
    loss.backward()
    print(f"static const double golden_{name}_loss = {loss.item():.17g};")
    print(f"static const double golden_{name}_dz[{2 * N}][{D}] = {{")
    for row in z.grad.tolist():
        print("    {" + ", ".join(f"{value:.12g}" for value in row) + "},")
    print("};")
