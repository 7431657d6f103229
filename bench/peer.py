"""The peer of a row of BENCHMARKS.md in PyTorch, as one line of JSON: peer.py ROW [KEY=VALUE...].

The rows and their arguments are those of examples/bench; the lines have the same keys.
"""

import ctypes
import json
import sys
import time

import torch
import torch.nn.functional as F

D, BANK = 128, 65536
row = sys.argv[1]
arguments = dict(word.split("=", 1) for word in sys.argv[2:])
torch.set_num_threads(int(arguments.get("threads", 2)))


def status(key):
    for line in open("/proc/self/status"):
        if line.startswith(key):
            return int(line.split()[1]) / 1024


def held():
    """MiB that the process holds, after giving back what is free: where that is used again, it counts again."""
    ctypes.CDLL(None).malloc_trim(0)
    return status("VmRSS")


def repeat(times, what, before=0):
    """Warms up once, then measures at least once, and no longer than a second and a half."""
    open("/proc/self/clear_refs", "w").write("5")
    cpu, seconds = [], []
    while len(seconds) <= times and (len(seconds) < 2 or sum(seconds) < 1.5):
        busy, started = time.process_time(), time.perf_counter()
        what()
        seconds.append(time.perf_counter() - started)
        cpu.append(time.process_time() - busy)
    seconds, cpu = seconds[1:], cpu[1:]
    print(json.dumps({"seconds": seconds, "cpu_seconds": sum(cpu) / len(cpu), "grew_mib": status("VmHWM") - before}))


# f' and f* of each divergence, as functions of u and of t; tsallis of its default order, 1.5.
DIVERGENCES = {
    "kl": (lambda u: u.log() + 1, lambda t: (t - 1).exp()),
    "js": (lambda u: (2 * u / (1 + u)).log(), lambda t: -(2 - t.exp()).log()),
    "pearson": (lambda u: 2 * (u - 1), lambda t: t * t / 4 + t),
    "hellinger": (lambda u: 1 - u.rsqrt(), lambda t: t / (1 - t)),
    "tsallis": (lambda u: 3 * u.sqrt(), lambda t: (t / 3).pow(3) + 2),
    "vlc": (lambda u: 1 - 4 / (u + 1).square(), lambda t: 4 - t - 4 * (1 - t).sqrt()),
}


def features(n):
    return F.normalize(torch.randn(n, D), dim=1).requires_grad_()


def formula(divergence, x, y, anchors, others, mask=None):
    """f-MICL as the paper writes it: distances, kernel, critic, conjugate, mask."""
    critic, conjugate = DIVERGENCES[divergence]

    def kernel(squared):
        return torch.exp(-squared / (2 * 0.5**2))

    positive = critic(kernel((x - y).square().sum(1))).mean()
    negative = conjugate(critic(kernel(torch.cdist(anchors, others).square())))
    return (negative if mask is None else negative[mask]).mean() - positive


def f_micl():
    pairs, divergence = arguments.get("pairs", "within"), arguments["divergence"]
    bank = F.normalize(torch.randn(int(arguments.get("bank", BANK)), D), dim=1) if pairs == "bank" else None

    def loss(x, y):
        if pairs == "bank":
            return formula(divergence, x, y, x, bank)
        z = torch.cat([x, y]) if pairs == "both" else x
        mask = torch.eye(len(x), dtype=torch.bool)
        return formula(divergence, x, y, z, z, ~(mask.repeat(2, 2) if pairs == "both" else mask))

    return loss


def infonce(x, y):
    n, z = len(x), torch.cat([x, y])
    logits = (z @ z.T / 0.5).masked_fill(torch.eye(2 * n, dtype=torch.bool), float("-inf"))
    return F.cross_entropy(logits, torch.arange(2 * n).roll(n))


def differentiate(times, loss):
    # The libraries start their threads and load their code at some rows, so that the memory counted is the objective's.
    loss(features(256), features(256)).backward()
    n = int(arguments["n"])
    x, y = features(n), features(n)

    def run():
        x.grad = y.grad = None
        loss(x, y).backward()

    repeat(times, run, held())


def products():
    """The three matrix products that value and gradient cannot avoid where the matrix is whole."""
    x = features(int(arguments["n"])).detach()

    def run():
        matrix = x @ x.T
        return matrix @ x, matrix.T @ x

    return run


def optimizer():
    import torchvision

    network = getattr(torchvision.models, "resnet" + arguments.get("depth", "50"))()
    copy = getattr(torchvision.models, "resnet" + arguments.get("depth", "50"))()
    followed, copies = list(network.parameters()), list(copy.parameters())
    for parameter in followed:
        parameter.grad = torch.randn_like(parameter) * 0.01
    # Weight decay for weights alone, as ours.
    groups = [{"params": [p for p in followed if p.dim() >= 2]}, {"params": [p for p in followed if p.dim() < 2], "weight_decay": 0}]
    if arguments["name"] == "sgd":
        step = torch.optim.SGD(groups, lr=1e-3, momentum=0.9, weight_decay=5e-4, foreach=True)
    else:
        step = torch.optim.AdamW(groups, lr=1e-3, weight_decay=0.01, foreach=True)

    def run():
        step.step()
        with torch.no_grad():
            torch._foreach_lerp_(copies, followed, 1 - 0.996)

    # The first step makes the optimizer's state.
    run()
    return run


def step():
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = arguments["precision"] == "tf32"
    from networks import ARCHITECTURES

    device, batch, size = arguments["device"], int(arguments["batch"]), int(arguments["size"])
    parameters, pairings, after_step = ARCHITECTURES[arguments["architecture"]](int(arguments["depth"]), device)
    sgd = torch.optim.SGD(parameters, lr=1e-3, momentum=0.9, weight_decay=1e-4, foreach=True)
    views = [torch.randn(batch, 3, size, size, device=device) for _ in range(2)]
    others = ~torch.eye(batch, dtype=torch.bool, device=device)

    def loss(x, y, negatives):
        if negatives is None or isinstance(negatives, str):
            return formula("js", x, y, x, x if negatives is None else y, others)
        return formula("js", x, y, x, negatives)

    def run():
        with torch.autocast(device.split(":")[0], torch.bfloat16, enabled=arguments["precision"] == "bf16"):
            pairs = pairings(*views)
        value = sum(loss(*pair) for pair in pairs) / len(pairs)
        value.backward()
        sgd.step()
        sgd.zero_grad()
        after_step()
        value.item()

    return run


times = int(arguments["times"])
if row == "f-micl":
    differentiate(times, f_micl())
elif row == "infonce":
    differentiate(times, infonce)
elif row == "products":
    repeat(times, products())
elif row == "optimizer":
    repeat(times, optimizer())
elif row == "step":
    before = held()
    repeat(times, step(), before)
else:
    sys.exit(f"no row {row}")
