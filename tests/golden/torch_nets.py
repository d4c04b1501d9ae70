"""The architectures as PyTorch modules: torchvision's and timm's own, and those of Keras.

Keras' functions differ from torchvision's and timm's of the same name in strides, padding, biases
and epsilons; here they are built from the same modules, so that tensor names stay the same.
tests/golden/keras_check.py compares them with keras.applications.
"""
from functools import partial
from unittest import mock

import timm
import torch
import torchvision
from torch import nn
from torch.nn import functional as F

ARCHS = ("resnet18", "resnet50", "resnet152", "resnet50-keras", "resnet152-keras", "resnetv2-101",
         "resnet101v2", "xception", "xception-keras", "inceptionv3", "inceptionv3-keras")


def with_bias(conv):
    return nn.Conv2d(conv.in_channels, conv.out_channels, conv.kernel_size, conv.stride,
                     conv.padding, bias=True)


def resnet(name, bands):
    net = getattr(torchvision.models, name)(weights=None)
    net.conv1 = nn.Conv2d(bands, 64, 7, 2, 3, bias=False)
    net.fc = nn.Linear(net.fc.in_features, 1)
    return net


def resnet_keras(name, bands):
    """keras.applications.ResNet50/152: the stride on the first 1x1, a bias in every convolution."""
    net = resnet(name, bands)
    for stage in (net.layer1, net.layer2, net.layer3, net.layer4):
        for block in stage:
            block.conv1.stride, block.conv2.stride = block.conv2.stride, (1, 1)
            for part in ("conv1", "conv2", "conv3"):
                setattr(block, part, with_bias(getattr(block, part)))
            if block.downsample is not None:
                block.downsample[0] = with_bias(block.downsample[0])
    net.conv1 = with_bias(net.conv1)
    return set_epsilon(net, 1.001e-5)


def set_epsilon(net, epsilon):
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = epsilon
    return net


class BlockV2(nn.Module):
    """A block of ResNet101V2: a stride in the last block of a stage, whose shortcut is sampled."""

    def __init__(self, block, stride):
        super().__init__()
        if block.downsample is not None:
            self.downsample = nn.Module()
            self.downsample.conv = with_bias(block.downsample.conv)
            self.downsample.conv.stride = (1, 1)
        self.norm1, self.conv1, self.norm2 = block.norm1, block.conv1, block.norm2
        self.conv2, self.norm3, self.conv3 = block.conv2, block.norm3, with_bias(block.conv3)
        self.conv2.stride = (stride, stride)
        self.stride = stride

    def forward(self, x):
        y = self.norm1(x)
        if hasattr(self, "downsample"):
            x = self.downsample.conv(y)
        elif self.stride > 1:
            x = F.max_pool2d(x, 1, self.stride)
        return x + self.conv3(self.norm3(self.conv2(self.norm2(self.conv1(y)))))


def resnet101v2(bands):
    net = timm.create_model("resnetv2_101", in_chans=bands, num_classes=1, stem_type="fixed")
    net.stem.conv = with_bias(net.stem.conv)
    for number, stage in enumerate(net.stages):
        last = len(stage.blocks) - 1
        for i in range(last + 1):
            stage.blocks[i] = BlockV2(stage.blocks[i], 2 if i == last and number < 3 else 1)
    return set_epsilon(net, 1.001e-5)


class MaxPoolSame(nn.Module):
    """3x3 with stride 2 and TensorFlow's SAME padding: what is left over goes to the far end."""

    def forward(self, x):
        sides = []
        for n in (x.shape[3], x.shape[2]):
            pad = max(((n + 1) // 2 - 1) * 2 + 3 - n, 0)
            sides += [pad // 2, pad - pad // 2]
        return F.max_pool2d(F.pad(x, sides, value=float("-inf")), 3, 2)


class Depthwise(nn.Conv2d):
    """3x3, stride 1, one tap after the other: PyTorch's own takes minutes in float64."""

    def forward(self, x):
        h, w = x.shape[2:]
        x = F.pad(x, (1, 1, 1, 1))
        return sum(self.weight[:, 0, i, j].view(-1, 1, 1) * x[:, :, i:i + h, j:j + w]
                   for i in range(3) for j in range(3))


def xception(bands):
    net = timm.create_model("legacy_xception", in_chans=bands, num_classes=1)
    for module in net.modules():
        if isinstance(module, nn.Conv2d) and module.groups > 1:
            assert module.kernel_size == (3, 3) and module.stride == (1, 1)
            module.__class__ = Depthwise
    return net


def xception_keras(bands):
    net = xception(bands)
    for number in (1, 2, 3, 12):
        getattr(net, f"block{number}").rep[-1] = MaxPoolSame()
    return set_epsilon(net, 1e-3)


def inception(bands, kind=torchvision.models.Inception3):
    net = kind(num_classes=1, aux_logits=False, transform_input=False, init_weights=False,
               dropout=0.0)
    net.Conv2d_1a_3x3.conv = nn.Conv2d(bands, 32, 3, 2, bias=False)
    return net


class InceptionKeras(torchvision.models.Inception3):
    def forward(self, x):
        pool = partial(F.avg_pool2d, count_include_pad=False)
        with mock.patch("torch.nn.functional.avg_pool2d", pool):
            return super().forward(x)


def make(name, bands):
    """A module with random weights, one output, in float64."""
    torch.manual_seed(0)
    if name == "resnetv2-101":
        net = timm.create_model("resnetv2_101", in_chans=bands, num_classes=1)
    elif name == "xception":
        net = xception(bands)
    elif name == "resnet101v2":
        net = resnet101v2(bands)
    elif name == "xception-keras":
        net = xception_keras(bands)
    elif name == "inceptionv3":
        net = inception(bands)
    elif name == "inceptionv3-keras":
        net = inception(bands, InceptionKeras)
    elif name.endswith("-keras"):
        net = resnet_keras(name[:-len("-keras")], bands)
    else:
        net = resnet(name, bands)
    return net.double()
