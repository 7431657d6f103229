"""The registered architectures as one would write them in PyTorch around a ResNet, with the defaults of fmicl-models:
functions of a ResNet's depth and a device, that give

    parameters     those that are trained
    pairings       views -> [(anchors, positives, negatives)]; negatives are None (the anchors), "keys", or a bank
    after_step
"""

import copy

import torch
import torchvision
from torch import nn
from torch.nn.functional import normalize


def backbone(depth):
    network = getattr(torchvision.models, f"resnet{depth}")()
    width, network.fc = network.fc.in_features, nn.Identity()
    return network, width


def mlp(widths, last_norm=None, bias=False):
    """Norms behind all but the last layer, or none where there are biases."""
    layers = []
    for index, (input, output) in enumerate(zip(widths, widths[1:])):
        last = index == len(widths) - 2
        layers += [nn.Linear(input, output, bias=bias)]
        layers += [] if last or bias else [nn.BatchNorm1d(output)]
        layers += [] if last else [nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, *([last_norm] if last_norm else []))


def momentum(network):
    follower = copy.deepcopy(network).requires_grad_(False)

    @torch.no_grad()
    def follow(share):
        torch._foreach_lerp_(list(follower.parameters()), list(network.parameters()), share)

    return follower, follow


def simclr(depth, device):
    encoder, width = backbone(depth)
    network = nn.Sequential(encoder, mlp([width, width, 128], nn.BatchNorm1d(128))).to(device)

    def pairings(x, y):
        x, y = normalize(network(torch.cat([x, y])).float()).chunk(2)
        return [(x, y, None)]

    return list(network.parameters()), pairings, lambda: None


def moco(depth, device):
    encoder, width = backbone(depth)
    query = nn.Sequential(encoder, mlp([width, width, 128], bias=True)).to(device)
    key, follow = momentum(query)
    queue, state = normalize(torch.randn(65536, 128, device=device)), {"at": 0}

    def pairings(x, y):
        with torch.no_grad():
            state["keys"] = normalize(key(y).float())
        return [(normalize(query(x).float()), state["keys"], queue)]

    def after_step():
        follow(0.001)
        keys = state["keys"]
        queue[(state["at"] + torch.arange(len(keys), device=device)) % len(queue)] = keys
        state["at"] = (state["at"] + len(keys)) % len(queue)

    return list(query.parameters()), pairings, after_step


def moco_v3(depth, device):
    encoder, width = backbone(depth)
    query = nn.Sequential(encoder, mlp([width, 4096, 256], nn.BatchNorm1d(256, affine=False))).to(device)
    predictor = mlp([256, 4096, 256]).to(device)
    key, follow = momentum(query)

    def pairings(*views):
        queries = [normalize(predictor(query(view)).float()) for view in views]
        with torch.no_grad():
            keys = [normalize(key(view).float()) for view in views]
        return [(queries[0], keys[1], "keys"), (queries[1], keys[0], "keys")]

    return [*query.parameters(), *predictor.parameters()], pairings, lambda: follow(0.005)


ARCHITECTURES = {"simclr": simclr, "moco": moco, "moco-v3": moco_v3}
