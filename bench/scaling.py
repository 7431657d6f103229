"""The table of docs/SCALING.md: `python3 bench/scaling.py` prints it. The formulas are explained there."""

# Assumptions, per GPU: an H100 SXM (bf16 dense, of which a training step reaches a part), its memory, its links.
PEAK, REACHED = 989e12, 0.4
NVLINK, NETWORK = 450e9, 50e9  # bytes/s each way: within a machine of 8; 400 Gbit/s a GPU between machines
LATENCY = {"nvlink": 3e-6, "network": 10e-6}  # of one hop

D = 128
# Multiply-adds of one forward image at 224 px, and parameters.
ENCODERS = {"ResNet-50": (4.1e9, 23.5e6), "ViT-S/16": (4.6e9, 21.7e6)}


def estimator_flops(n, d=D):
    """Three products of 2 N^2 d, on half of the tiles."""
    return 3 * 2 * n * n * d / 2


def tiled_bytes(n, d=D, tile=2048):
    """Features, their gradients and transposes of both sides, and four tiles, f32."""
    return 4 * (6 * n * d + 4 * tile * tile)


def eager_bytes(n, matrices=13):
    """What PyTorch's formula keeps for its backward pass: about 13 matrices (3,416 MiB measured at N = 8192)."""
    return 4 * matrices * n * n


def encoder_flops(multiply_adds):
    """Two views; backward is twice forward; two operations each."""
    return 2 * 3 * 2 * multiply_adds


def ring(size, processes, speed, hop):
    """All-reduce of `size` bytes on a ring: each sends 2 (P - 1) / P of them, in 2 (P - 1) hops."""
    return 2 * (processes - 1) / processes * size / speed + 2 * (processes - 1) * hop


def tree(size, processes, speed, hop):
    """The same on a double binary tree: as many bytes, but only 2 log2 P hops."""
    return 2 * size / speed + 2 * (processes - 1).bit_length() * hop


def gather(size, processes, speed, hop):
    """All-gather: each sends its own part on, P - 1 times; `size` is that of the whole."""
    return (processes - 1) / processes * size / speed + (processes - 1) * hop


def step(encoder, processes, images):
    """Milliseconds of a step at `images` a process."""
    multiply_adds, parameters = ENCODERS[encoder]
    n = processes * images
    speed, hop = (NVLINK, LATENCY["nvlink"]) if processes <= 8 else (NETWORK, LATENCY["network"])
    compute = images * encoder_flops(multiply_adds) / (PEAK * REACHED)
    # A process has its rows of the matrix: its share of the tiles, in f32 at a twentieth of bf16's peak with tf32 off.
    objective = estimator_flops(n) / processes / (PEAK / 20 * REACHED)
    # Features of both views forward, the sum of their gradients back.
    size, links = 4 * 2 * n * D, (processes, speed, hop)
    all_reduce = lambda size: min(ring(size, *links), tree(size, *links))
    features = gather(size, *links) + all_reduce(size) if processes > 1 else 0
    gradients = all_reduce(4 * parameters) if processes > 1 else 0
    return {key: 1000 * value for key, value in dict(compute=compute, objective=objective, features=features, gradients=gradients).items()}


def main(images=256):
    print("| encoder | GPUs | N | encoder, ms | objective, ms | features, ms | gradients, ms | communication, if none overlaps | memory of the objective, MiB | eager, GiB |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for encoder in ENCODERS:
        for processes in (1, 2, 8, 16, 64, 256, 1024):
            n, ms = processes * images, step(encoder, processes, images)
            share = (ms["features"] + ms["gradients"]) / sum(ms.values())
            times = " | ".join(f"{ms[key]:.2f}" for key in ("compute", "objective", "features", "gradients"))
            print(f"| {encoder} | {processes} | {n:,} | {times} | {100 * share:.0f} % | {tiled_bytes(n) / 2**20:,.0f} | {eager_bytes(n) / 2**30:,.1f} |")
    for encoder, (multiply_adds, _) in ENCODERS.items():
        # N where the objective costs a tenth of the encoder, on one GPU: 3 N d / 20th of the peak against the encoder's flops an image.
        n = 0.1 * encoder_flops(multiply_adds) / (3 * D * 20)
        print(f"\n{encoder}: the objective costs a tenth of the encoder at N = {n:,.0f}", end="")
    print()


main()
