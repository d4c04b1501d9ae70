"""Goldens of the networks, in float64, from weights that both sides generate from counters.

    python3 tests/golden/nets.py [ARCHITECTURE...]     (needs torch, torchvision, timm)

writes tests/golden/nets.json; with names, only those are made anew.

The modules are those of torch_nets.py. Every tensor uses the Philox stream that is the FNV-1a hash
of its name, so that no side depends on the other's order; u is uniform in [0, 1):
    convolution, linear weight   (2u - 1) sqrt(6 / fan_in)
    their bias                   (u - 0.5) / 5
    batch norm                   weight (0.5 + u) / 4, bias f (1.5 + (u - 0.5) / 5) with f = 1 but
                                 for a quarter of the channels (u < 0.25) of some layers, see NEGATIVE
                                 running mean (u - 0.5) / 5, running variance 0.5 + u
The biases keep values four deviations away from the kink of ReLU: a value that rounding pushes over
it changes a gradient by far more than rounding itself, in any float32 program.
Inputs are 2u - 1 from stream 1.
Stored per architecture: every tensor's name and shape at 12 bands, which is a module's state_dict
without num_batches_tracked; at 12 and 10 bands logits of two patches, loss and logits of a training
step of four, and after it the norm and four samples (indices from stream hash + 2^32) of every
gradient (at 10 bands: of every 16th), and the norms of the running statistics; ten losses of AdamW.
"""
import json
import pathlib
import platform
import re
import sys

import numpy as np
import timm
import torch
import torchvision
from torch import nn

import torch_nets
from philox import uniform

SEED, SIZE, BATCH, SAMPLES = 2021, 120, 4, 4
# Parts of the names of batch norms, and f: each is followed by a ReLU, the last by several sums
# with what is positive, and then a ReLU.
NEGATIVE = (("bn1.", -1.0), ("norm2.", -1.0), ("_1.bn.", -1.0), (".rep.2.", -1.0), ("skipbn.", -12.0))


def stream_of(name):
    h = 0x811C9DC5
    for byte in name.encode():
        h = (h ^ byte) * 0x01000193 & 0xFFFFFFFF
    return h


def values(stream, shape):
    u = uniform(SEED, stream, int(np.prod(shape))).reshape(shape)
    return torch.from_numpy(u)


def fill(net):
    norms = [n + "." for n, m in net.named_modules() if isinstance(m, nn.BatchNorm2d)]
    with torch.no_grad():
        for name, p in net.state_dict().items():
            if name.endswith("num_batches_tracked"):
                continue
            u = values(stream_of(name), tuple(p.shape))
            norm = name.startswith(tuple(norms)) and name.rsplit(".", 1)[0] + "." in norms
            if p.dim() > 1:
                v = (2 * u - 1) * (6.0 / p[0].numel()) ** 0.5
            elif name.endswith("running_var"):
                v = 0.5 + u
            elif norm and name.endswith("weight"):
                v = (0.5 + u) / 4
            elif norm and name.endswith("bias"):
                f = next((f for part, f in NEGATIVE if part in name), 1.0)
                v = torch.where(u < 0.25, f, 1.0) * (1.5 + (u - 0.5) / 5)
            else:
                v = (u - 0.5) / 5
            p.copy_(v.float().double())
    return net


def batch(n, bands, size):
    return 2 * values(1, (n, bands, size, size)) - 1


def row(name, shape, g):
    at = (uniform(SEED, stream_of(name) + (1 << 32), SAMPLES) * g.numel()).astype(int)
    return [name, list(shape), [g.norm().item()] + g.reshape(-1)[at].tolist()]


def step(net, bands, thin):
    """Loss, logits, gradients and running statistics of one training step."""
    target = (torch.arange(BATCH) % 2).double()
    net.train()
    z = net(batch(BATCH, bands, SIZE))[:, 0]
    loss = nn.functional.binary_cross_entropy_with_logits(z, target)
    loss.backward()
    parameters = [row(n, p.shape, p.grad) for n, p in net.named_parameters()]
    running = [[n, list(b.shape), [b.norm().item()]] for n, b in net.named_buffers()
               if "running" in n]
    total = sum(r[2][0] ** 2 for r in parameters) ** 0.5
    return {"loss": loss.item(), "logits": z.tolist(), "norm": total,
            "tensors": (parameters + running)[::thin]}


def goldens(arch, bands, thin):
    net = fill(torch_nets.make(arch, bands)).eval()
    with torch.no_grad():
        out = {"logits": net(batch(2, bands, SIZE))[:, 0].tolist()}
    out["step"] = step(net, bands, thin)
    return out


def losses(arch, n, size, rate):
    net = fill(torch_nets.make(arch, 12)).train()
    x, target = batch(n, 12, size), (torch.arange(n) % 2).double()
    decay = [p for p in net.parameters() if p.dim() > 1]
    other = [p for p in net.parameters() if p.dim() <= 1]
    optimiser = torch.optim.AdamW([{"params": decay, "weight_decay": 0.05},
                                   {"params": other, "weight_decay": 0.0}], lr=rate)
    out = []
    for _ in range(10):
        optimiser.zero_grad()
        loss = nn.functional.binary_cross_entropy_with_logits(net(x)[:, 0], target)
        out.append(loss.item())
        loss.backward()
        optimiser.step()
    return {"batch": n, "size": size, "rate": rate, "weight_decay": 0.05, "values": out}


def compact(value):
    """JSON with eight digits and lists of numbers on one line."""
    text = re.sub(r'(?<![\w."])-?\d+\.\d+(e-?\d+)?', lambda m: f"{float(m[0]):.8g}",
                  json.dumps(value, indent=1))
    text = re.sub(r"\n\s+(?=[-0-9\]])", " ", text)
    return re.sub(r'\[\s+"([\w.]+)",\s+\[ ([\d, ]*) \],\s+\[ ', r'["\1", [\2], [', text) + "\n"


def main():
    path = pathlib.Path(__file__).with_name("nets.json")
    out = json.loads(path.read_text()) if sys.argv[1:] else {}
    out |= {"made_by": "tests/golden/nets.py", "python": platform.python_version(),
            "torch": torch.__version__, "torchvision": torchvision.__version__,
            "timm": timm.__version__, "seed": SEED, "size": SIZE, "batch": BATCH}
    for arch in sys.argv[1:] or torch_nets.ARCHS:
        print(arch, file=sys.stderr, flush=True)
        out[arch] = {"12": goldens(arch, 12, 1), "10": goldens(arch, 10, 16)}
        if arch in ("resnet18", "resnet50"):
            out[arch]["losses"] = losses(arch, 8, 64, 1e-4)
        path.write_text(compact(out))


main()
