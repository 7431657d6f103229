"""Checks that PyTorch takes what fmicl writes, and fmicl what PyTorch has: run `make check-export`.

For torchvision's resnet50 and timm's vit_small_patch16_224: `fmicl export` loads without renaming; the model then gives
the features of `fmicl features` from the images themselves; so does the TorchScript export; and `init` takes the
model's own new weights as they are. A .pth file is refused with a command that converts it.
"""

import os
import re
import subprocess
import tempfile
import tomllib
from pathlib import Path

import numpy as np
import timm
import torch
import torchvision
from PIL import Image
from safetensors.torch import load_file, save_file
from torchvision import transforms

FMICL = Path("target/release/fmicl").resolve()
EXPERIMENT = """
dataset = {{ name = "image-folder", root = "{root}" }}
backbone = {{ {backbone} }}
architecture = {{ name = "simclr", out = 16 }}
objective = {{ name = "f-micl", divergence = "kl", similarity = "gaussian" }}
optimizer = "sgd"
device = "cpu"
views.size = {size}
train = {{ epochs = 1, batch_size = 4, lr = 0.01 }}
evaluations = {{ knn.k = 5, linear.max_iter = 3 }}
"""
# Name, our backbone, the size of its images, theirs without arguments, the names that ours has not.
MODELS = [
    ("resnet50", 'name = "resnet", depth = 50', 64, torchvision.models.resnet50, {"fc.weight", "fc.bias"}),
    (
        "vit_small_patch16_224",
        'name = "vit"',
        224,
        # MoCo v3's has 12 heads where timm's has 6; the weights' shapes do not tell.
        lambda: timm.create_model("vit_small_patch16_224", num_heads=12),
        {"head.weight", "head.bias"},
    ),
]


def fmicl(*args):
    run = subprocess.run([FMICL, *map(str, args)], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout


def make_images(root):
    generator = np.random.default_rng(0)
    for split, count in [("train", 4), ("test", 2)]:
        for name in "ab":
            folder = root / split / name
            folder.mkdir(parents=True)
            for index in range(count):
                width, height = generator.integers(60, 300, 2)
                coarse = generator.integers(0, 256, (5, 5, 3), dtype=np.uint8)
                Image.fromarray(coarse).resize((width, height), Image.BICUBIC).save(folder / f"{index}.png")


def views(root, run):
    """The training images as evaluation sees them, in the order of ImageFolder."""
    config = tomllib.loads((run / "config.toml").read_text())["views"]
    transform = transforms.Compose([
        transforms.Resize(config["size"]),
        transforms.CenterCrop(config["size"]),
        transforms.ToTensor(),
        transforms.Normalize(config["normalize"]["mean"], config["normalize"]["std"]),
    ])
    dataset = torchvision.datasets.ImageFolder(root / "train", transform)
    images, labels = zip(*dataset)
    return torch.stack(images), list(labels)


def distance(a, b):
    """The largest difference, relative to the largest value."""
    return ((a - b).abs().max() / b.abs().max()).item()


@torch.no_grad()
def check(folder, root, name, backbone, size, build, absent):
    experiment, run = folder / f"{name}.toml", folder / name
    experiment.write_text(EXPERIMENT.format(root=root, backbone=backbone, size=size))
    fmicl("train", experiment, "--out", run)
    fmicl("export", run)
    fmicl("export", run, "--format", "torchscript")
    fmicl("features", run)

    model = build().eval()
    missing, unexpected = model.load_state_dict(load_file(run / "backbone.safetensors"), strict=False)
    assert set(missing) == absent and not unexpected, (missing, unexpected)
    setattr(model, min(absent).split(".")[0], torch.nn.Identity())
    images, labels = views(root, run)
    features = torch.from_numpy(np.load(run / "features/train_features.npy"))
    assert np.load(run / "features/train_labels.npy").tolist() == labels
    from_images = distance(model(images), features)
    script = torch.jit.load(run / "backbone.pt").eval()
    from_script = max(distance(script(images[:count]), model(images[:count])) for count in (1, 3, 8))
    print(f"{name}: exported weights {from_images:.1e} from the features, TorchScript {from_script:.1e} from the model")
    assert from_images < 1e-5 and from_script < 1e-5


def check_init(folder, name, build):
    """A new model's weights, classifier and all, start a run; as a pickle they are refused."""
    theirs = build().state_dict()
    pickle = folder / f"{name}.pth"
    torch.save(theirs, pickle)
    experiment = folder / f"{name}.toml"
    refusal = subprocess.run([FMICL, "check", experiment, "--set", f"init={pickle}"], capture_output=True, text=True)
    assert refusal.returncode == 2, refusal
    convert = re.search(r"convert it: (.*)", refusal.stderr)[1]
    subprocess.run(convert.replace("in.pth", pickle.name).replace("out.safetensors", f"{name}.safetensors"),
                   shell=True, check=True, cwd=folder)
    run = folder / f"{name}-init"
    print(fmicl("check", experiment, "--set", f"init={folder / name}.safetensors").splitlines()[2].strip())
    fmicl("train", experiment, "--out", run, "--set", f"init={folder / name}.safetensors")
    ours = load_file(run / "init.safetensors")
    assert all(torch.equal(weight, theirs[key]) for key, weight in ours.items())


def main():
    # The converting command runs elsewhere and finds its packages by the same path.
    os.environ["PYTHONPATH"] = os.pathsep.join(str(Path(p).resolve()) for p in os.environ["PYTHONPATH"].split(os.pathsep))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make_images(folder / "images")
        for name, backbone, size, build, absent in MODELS:
            check(folder, folder / "images", name, backbone, size, build, absent)
            check_init(folder, name, build)


if __name__ == "__main__":
    main()
