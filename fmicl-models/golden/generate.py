"""Makes the golden files beside it: run `scripts/golden fmicl-models/golden/generate.py`.

Written with torch 2.11.0, torchvision 0.26.0, timm 1.0.31, numpy 2.2.6 and safetensors 0.8.0, in f64. Weights, inputs and gradients
are not stored: both sides make them from their names with `noise` (src/golden.rs has the same formula). Of a
gradient or a buffer only two numbers are kept, its norm and its dot product with `noise`, which a wrong order or
sign would change. Seeds are used for the statistics of initialisations alone.
"""

import functools
import math
from pathlib import Path

import timm
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn

FOLDER = Path(__file__).parent
torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)


def noise(name, size):
    """Numbers in [-1, 1) that depend on the name and on the index alone."""
    hashed = 0x811C9DC5
    for byte in name.encode():
        hashed = ((hashed ^ byte) * 0x01000193) & 0xFFFFFFFF
    # Whole numbers alone: a sine has other last digits on another processor.
    x = (torch.arange(1, math.prod(size) + 1) * 0x61C88647 + hashed) & 0xFFFFFFFF
    for shift in (16, 15):
        x = ((x ^ (x >> shift)) * 0x7FEB352D) & 0xFFFFFFFF
    return ((x ^ (x >> 16)) * 2.0**-31 - 1.0).view(size)


def weight(name, size):
    """A value for the parameter or buffer of this name, of a size that keeps activations near 1."""
    if name.endswith("running_var"):
        return 1.0 + 0.5 * noise(name, size)
    if name.endswith("weight") and len(size) == 1:
        return 1.0 + 0.2 * noise(name, size)
    if len(size) >= 2:
        return noise(name, size) * math.sqrt(6.0 / math.prod(size[1:]))
    return noise(name, size) * 0.1


def digest(name, tensor):
    """Norm, and dot product with `noise`."""
    return torch.stack([tensor.norm(), (tensor * noise(f"{name} digest", tensor.shape)).sum()])


def record(model, size):
    """Outputs (every eighth column), gradients and, after the pass in training mode, buffers."""
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if not name.endswith("num_batches_tracked"):
                tensor.copy_(weight(name, tensor.shape))
    kept = {}
    for mode in ["eval", "train"]:
        model.train(mode == "train")
        model.zero_grad()
        x = noise("input", size).requires_grad_()
        out = model(x)
        (out * noise("loss", out.shape)).sum().backward()
        kept[f"{mode} output"] = out.detach()[:, ::8].contiguous()
        kept[f"{mode} grad input"] = digest("input", x.grad)
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                kept[f"{mode} grad {name}"] = digest(name, parameter.grad)
    frozen = [(name, parameter) for name, parameter in model.named_parameters() if not parameter.requires_grad]
    for name, buffer in [*model.named_buffers(), *frozen]:
        if not name.endswith("num_batches_tracked"):
            kept[f"buffer {name}"] = digest(name, buffer)
    return kept


def resnet(depth, stem):
    model = getattr(torchvision.models, f"resnet{depth}")()
    model.fc = nn.Identity()
    if stem == "cifar":
        model.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
        model.maxpool = nn.Identity()
    return model


def vit(size, patch, width, depth, heads):
    """timm's, as MoCo v3 trains it: positions are fixed, features the normalised class token."""
    timm.layers.set_fused_attn(False)
    norm = functools.partial(nn.LayerNorm, eps=1e-6)
    model = timm.models.vision_transformer.VisionTransformer(
        img_size=size, patch_size=patch, embed_dim=width, depth=depth, num_heads=heads, num_classes=0, norm_layer=norm
    )
    model.pos_embed.requires_grad = False
    return model


def vit_small(frozen):
    """The parameters are those of timm's `vit_small_patch16_224`, but for the classifier's."""
    model = vit(224, 16, 384, 12, 12)
    shapes = lambda model: {name: tensor.shape for name, tensor in model.state_dict().items()}
    assert shapes(model) == shapes(timm.create_model("vit_small_patch16_224", num_classes=0))
    model.patch_embed.proj.requires_grad_(not frozen)
    return model


def positions(side, width):
    """MoCo v3's `pos_embed`, written from its definition, a number at a time."""
    quarter = width // 4
    table = torch.zeros(1, 1 + side * side, width)
    for row in range(side):
        for column in range(side):
            for index in range(quarter):
                frequency = 1.0 / 10000.0 ** (index / quarter)
                waves = [f(x * frequency) for x in (row, column) for f in (math.sin, math.cos)]
                table[0, 1 + row * side + column, index::quarter] = torch.tensor(waves)
    return table


@torch.no_grad()
def initialise_vit(model):
    """MoCo v3's: Glorot's uniform, queries, keys and values apart, and the patch projection as a linear layer."""
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear):
            for part in module.weight.chunk(3 if name.endswith("qkv") else 1):
                nn.init.xavier_uniform_(part)
            nn.init.zeros_(module.bias)
    nn.init.xavier_uniform_(model.patch_embed.proj.weight.flatten(1))
    nn.init.zeros_(model.patch_embed.proj.bias)
    nn.init.normal_(model.cls_token, std=1e-6)
    return model


def initialisation():
    """Mean and standard deviation (biased) of each parameter of a new network."""
    torch.manual_seed(0)
    kept = {}
    models = {"resnet18": resnet(18, "imagenet"), "resnet50": resnet(50, "imagenet"), "mlp": mlp([512, 256, 128], "none")}
    models["vit"] = initialise_vit(vit(224, 16, 384, 2, 12))
    for prefix, model in models.items():
        for name, parameter in model.named_parameters():
            kept[f"{prefix} {name}"] = torch.stack([parameter.mean(), parameter.std(correction=0)]).detach()
    return kept


def mlp(widths, norms):
    layers = []
    count = len(widths) - 1
    for index in range(count):
        last = index + 1 == count
        layers.append(nn.Linear(widths[index], widths[index + 1], bias=norms == "none"))
        if norms != "none" and not (last and norms == "hidden"):
            layers.append(nn.BatchNorm1d(widths[index + 1], affine=not (last and norms == "all-last-plain")))
        if not last:
            layers.append(nn.ReLU())
    return nn.Sequential(*layers)


SHAPES = {"a.weight": (5, 3), "b.weight": (2, 3, 2, 2), "c.bias": (4,)}
RATES = [0.1, 0.08, 0.05, 0.2, 0.01]


class Lars(torch.optim.Optimizer):
    """`d = g + weight_decay p; d *= trust |p| / |d|; v = momentum v + d; p -= lr v`, variable by variable."""

    def __init__(self, groups, lr, momentum, trust):
        super().__init__(groups, {"lr": lr, "momentum": momentum, "trust": trust, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                d = p.grad
                if p.ndim > 1:
                    d = d + group["weight_decay"] * p
                    d = d * (group["trust"] * p.norm() / d.norm())
                v = self.state[p].get("v", torch.zeros_like(p)) * group["momentum"] + d
                self.state[p]["v"] = v
                p.sub_(group["lr"] * v)


def optimizer_steps(make):
    """The values of each variable after each of five steps."""
    values = {name: nn.Parameter(noise(name, size)) for name, size in SHAPES.items()}
    decaying = [p for p in values.values() if p.ndim > 1]
    plain = [p for p in values.values() if p.ndim <= 1]
    optimizer = make([{"params": decaying, "weight_decay": 0.1}, {"params": plain, "weight_decay": 0.0}])
    seen = {name: [] for name in values}
    for step, rate in enumerate(RATES):
        for group in optimizer.param_groups:
            group["lr"] = rate
        for name, p in values.items():
            p.grad = noise(f"{name} grad {step}", p.shape)
        optimizer.step()
        for name, p in values.items():
            seen[name].append(p.detach().clone())
    return {name: torch.stack(steps) for name, steps in seen.items()}


def optimizers():
    makes = {
        "sgd": lambda groups: torch.optim.SGD(groups, lr=0.1, momentum=0.9),
        "sgd-plain": lambda groups: torch.optim.SGD(groups, lr=0.1),
        "sgd-nesterov": lambda groups: torch.optim.SGD(groups, lr=0.1, momentum=0.9, nesterov=True),
        "adamw": lambda groups: torch.optim.AdamW(groups, lr=0.1, betas=(0.8, 0.95), eps=1e-6),
        "lars": lambda groups: Lars(groups, lr=0.1, momentum=0.9, trust=0.02),
    }
    return {f"{key} {name}": steps for key, make in makes.items() for name, steps in optimizer_steps(make).items()}


def schedule():
    """20 steps at 0.5 with 6 of warm-up, down to 0.02."""
    base, warmup, total, final = 0.5, 6, 20, 0.02

    def factor(step):
        if step < warmup:
            return step / warmup
        cosine = 0.5 * (1.0 + math.cos(math.pi * (step - warmup) / (total - warmup)))
        return (final + (base - final) * cosine) / base

    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=base)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    rates = []
    for _ in range(total + 1):
        rates.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return {"rates": torch.tensor(rates)}


def normalized():
    x = noise("rows", (5, 7))
    x[1] = 0.0
    x[2] *= 1e-13
    x.requires_grad_()
    out = nn.functional.normalize(x)
    (out * noise("loss", out.shape)).sum().backward()
    return {"output": out.detach(), "grad": x.grad}


def main():
    save = lambda name, tensors: save_file(tensors, FOLDER / f"{name}.safetensors")
    save("resnet18", record(resnet(18, "imagenet"), (3, 3, 45, 45)))
    save("resnet18_cifar", record(resnet(18, "cifar"), (3, 3, 19, 19)))
    save("resnet50", record(resnet(50, "imagenet"), (3, 3, 45, 45)))
    save("resnet34", record(resnet(34, "imagenet"), (3, 3, 45, 45)))
    save("resnet101", record(resnet(101, "imagenet"), (3, 3, 45, 45)))
    save("vit", record(vit(12, 4, 24, 3, 3), (3, 3, 12, 12)))
    save("vit_small_patch16_224", record(vit_small(frozen=True), (1, 3, 224, 224)))
    save("vit_positions", {"pos_embed": positions(3, 24).float()})
    save("initialisation", initialisation())
    for norms, widths in [("none", [24, 16, 16]), ("hidden", [24, 16, 16]), ("all", [24, 16, 16]), ("all-last-plain", [24, 16, 20, 8])]:
        save(f"mlp_{norms}", record(mlp(widths, norms), (5, 24)))
    save("normalize", normalized())
    save("optimizers", optimizers())
    save("schedule", schedule())


if __name__ == "__main__":
    main()
