"""The network that gpu_rates measures, in PyTorch, and how long a call takes."""
import time

import torch
from torch import nn

BANDS, OUTPUTS, PROJECTION = 12, 10, (1024, 512, 128)


class Bottleneck(nn.Module):
    def __init__(self, inside, width, stride):
        super().__init__()
        outside = 4 * width
        self.inner = nn.Sequential(
            nn.Conv2d(inside, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
            nn.Conv2d(width, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
            nn.Conv2d(width, outside, 1, bias=False), nn.BatchNorm2d(outside))
        self.around = nn.Identity()
        if stride != 1 or inside != outside:
            self.around = nn.Sequential(nn.Conv2d(inside, outside, 1, stride, bias=False),
                                        nn.BatchNorm2d(outside))

    def forward(self, x):
        return torch.relu(self.inner(x) + self.around(x))


def trunk():
    """ResNet-50 up to its 2048 features."""
    layers = [nn.Conv2d(BANDS, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(),
              nn.MaxPool2d(3, 2, 1)]
    channels = 64
    for stage, blocks in enumerate((3, 4, 6, 3)):
        width = 64 << stage
        for block in range(blocks):
            layers.append(Bottleneck(channels, width, 2 if stage and not block else 1))
            channels = 4 * width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten()), channels


def classifier():
    body, channels = trunk()
    return nn.Sequential(body, nn.Linear(channels, OUTPUTS))


def encoder():
    body, channels = trunk()
    head = []
    for width in PROJECTION:
        head += [nn.Linear(channels, width), nn.ReLU()]
        channels = width
    return nn.Sequential(body, *head[:-1])


def rate(run, batch, seconds):
    """Samples of `batch` per second, after a few runs that choose kernels."""
    for _ in range(4):
        run()
    torch.cuda.synchronize()
    begin, runs = time.monotonic(), 0
    while time.monotonic() - begin < seconds:
        run()
        torch.cuda.synchronize()
        runs += 1
    return round(runs * batch / (time.monotonic() - begin), 1)
