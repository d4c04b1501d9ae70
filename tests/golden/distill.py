"""Distillation losses and their gradients from PyTorch, for tests/test_distill_loss.c.

    python3 tests/golden/distill.py > tests/golden/golden_distill.h

Logit j of sample i is ((5 i + 3 j) mod 7 - 3) / 2, the teacher's ((3 i + 4 j) mod 9 - 4) / 2, the
weight of sample i is (i + 1) / 2. Classes: T^2 KL of softened softmaxes; one logit: T^2 of the
binary cross entropy of softened sigmoids less the teacher's own entropy. Everything in float64.
"""
import torch
import torch.nn.functional as F

N, K = 4, 3
TEMPERATURES = (0.5, 1.0, 2.0, 5.0)


def inputs(k):
    i, j = torch.arange(N, dtype=torch.float64)[:, None], torch.arange(k, dtype=torch.float64)
    logits = ((5 * i + 3 * j) % 7 - 3) / 2
    teacher = ((3 * i + 4 * j) % 9 - 4) / 2
    return logits.requires_grad_(True), teacher, (i[:, 0] + 1) / 2


def classes(logits, teacher, T):
    return T**2 * F.kl_div(F.log_softmax(logits / T, 1), F.softmax(teacher / T, 1),
                           reduction="none").sum(1)


def binary(logits, teacher, T):
    p = torch.sigmoid(teacher / T)
    cross = F.binary_cross_entropy_with_logits(logits / T, p, reduction="none")
    own = F.binary_cross_entropy_with_logits(teacher / T, p, reduction="none")
    return T**2 * (cross - own).sum(1)


def show(name, k, loss_of):
    print(f"static const double golden_{name}[{len(TEMPERATURES)}][{1 + N * k}] = {{")
    for T in TEMPERATURES:
        logits, teacher, weight = inputs(k)
        loss = (weight * loss_of(logits, teacher, T)).mean()
        loss.backward()
        values = [loss.item()] + logits.grad.flatten().tolist()
        print("    {" + ", ".join(f"{value:.12g}" for value in values) + "},")
    print("};")


print(f"/* Made by tests/golden/distill.py with PyTorch {torch.__version__}. Rows: temperature "
      "0.5, 1, 2, 5;\n * the loss, then its gradient. */")
show("distill_binary", 1, binary)
show("distill_classes", K, classes)
