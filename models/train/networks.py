"""The two CIFAR-10 networks of Bitcell's zoo, as PyTorch modules.

Batch normalisation follows every convolution while the network is trained and
is folded into the convolution when it is exported (`fold_batch_norm`).
Inputs are float32 tensors of shape [batch, 3, 32, 32], normalised. VGG-16 also
takes 16x16 images while it is trained: its pooling rounds sizes up, which changes
nothing at 32x32.
"""

from collections import OrderedDict

import torch
from torch import nn


def _conv_block(index: int, in_channels: int, out_channels: int, stride: int, pool: bool):
    yield f"conv{index}", nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
    yield f"norm{index}", nn.BatchNorm2d(out_channels)
    yield f"relu{index}", nn.ReLU()
    if pool:
        yield f"pool{index}", nn.MaxPool2d(2, ceil_mode=True)


def _classifier(sizes: "list[int]", dropout: float):
    yield "flatten", nn.Flatten()
    for index, (fan_in, fan_out) in enumerate(zip(sizes, sizes[1:]), start=1):
        yield f"drop{index}", nn.Dropout(dropout)
        yield f"fc{index}", nn.Linear(fan_in, fan_out)
        if index < len(sizes) - 1:
            yield f"fcrelu{index}", nn.ReLU()


def _network(convolutions, classifier_sizes, dropout) -> nn.Sequential:
    layers = []
    in_channels = 3
    for index, (out_channels, stride, pool) in enumerate(convolutions, start=1):
        layers.extend(_conv_block(index, in_channels, out_channels, stride, pool))
        in_channels = out_channels
    layers.extend(_classifier(classifier_sizes, dropout))
    network = nn.Sequential(OrderedDict(layers))
    for module in network:
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return network


def alexnet(dropout: float) -> nn.Sequential:
    """Five convolutions and three fully connected layers: 23.3 million weights."""
    convolutions = [
        (64, 2, True),
        (192, 1, True),
        (384, 1, False),
        (256, 1, False),
        (256, 1, True),
    ]
    return _network(convolutions, [1024, 4096, 4096, 10], dropout)


def vgg16(dropout: float) -> nn.Sequential:
    """Thirteen convolutions and three fully connected layers: 15.2 million weights."""
    convolutions = []
    for channels, count in [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)]:
        convolutions += [(channels, 1, index == count - 1) for index in range(count)]
    return _network(convolutions, [512, 512, 512, 10], dropout)


NETWORKS = {"alexnet": alexnet, "vgg16": vgg16}


def fold_batch_norm(network: nn.Sequential) -> nn.Sequential:
    """Return the inference network: batch norm folded in float64, no dropout.

    With y = gamma * (conv(x) - mean) / sqrt(var + eps) + beta, the folded
    weight is w * gamma / sqrt(var + eps) and the bias beta - mean * that factor.
    """
    folded = OrderedDict()
    modules = list(network.named_children())
    for position, (name, module) in enumerate(modules):
        if isinstance(module, (nn.BatchNorm2d, nn.Dropout)):
            continue
        if isinstance(module, nn.MaxPool2d):
            module = nn.MaxPool2d(module.kernel_size)
        if not isinstance(module, nn.Conv2d):
            folded[name] = module
            continue
        norm = modules[position + 1][1]
        factor = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
        convolution = nn.Conv2d(
            module.in_channels, module.out_channels, module.kernel_size, module.stride, module.padding
        )
        with torch.no_grad():
            convolution.weight.copy_(module.weight.double() * factor[:, None, None, None])
            convolution.bias.copy_(norm.bias.double() - norm.running_mean.double() * factor)
        folded[name] = convolution.to(module.weight.device)
    return nn.Sequential(folded).eval()
