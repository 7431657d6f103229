"""What a GPU computes beside the CPU, and a training step on it beside eager PyTorch's; `scripts/gpu-check` runs it.

    gpu_check.py [--device cuda:0] [--depth 50] [--size 224] [--batch 128]
    gpu_check.py --device cpu        at small sizes, to see that it runs

The exit code is 1 where an objective or its gradient is off by more than 1e-4 of its size, or a program fails. Memory is
what the GPU has in use beyond what it had before, by nvidia-smi, context and caches included, so nothing else may run on
it; on a CPU it is what the process grew by.
"""

import argparse
import json
import statistics
import subprocess
import sys
import threading

import measure
from made import ROOT

options = argparse.ArgumentParser()
options.add_argument("--device", default="cuda:0")
options.add_argument("--depth", type=int, default=50)
options.add_argument("--size", type=int, default=224)
options.add_argument("--batch", type=int, default=128)
options = options.parse_args()

CPU = options.device == "cpu"
if CPU:
    options.depth, options.size, options.batch = 18, 32, 4
TORCHVISION = (ROOT / ".golden" / "torchvision").exists()
OURS, PEER = measure.RELEASE / "examples" / "bench", [sys.executable, "bench/peer.py"]


class Memory:
    """The most MiB of the GPU in use while the block runs, beyond what was in use before."""

    def __enter__(self):
        self.most = self.before = self.used()
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()

    def watch(self):
        # Both sides' allocators keep what they have had, so nothing is missed in between.
        while not self.done.wait(0.2):
            self.most = max(self.most, self.used())

    def used(self):
        query = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits", "-i", options.device.removeprefix("cuda:")]
        return 0 if CPU else int(subprocess.run(query, capture_output=True, text=True, check=True).stdout.split()[0])


def step(program, architecture, precision):
    """Images a second and MiB, or what went wrong."""
    words = [f"{key}={value}" for key, value in vars(options).items()]
    # Where cores are busy, threads that wait for each other in tiny operations take minutes.
    words += ["times=1", "threads=1"] if CPU else ["times=10"]
    try:
        with Memory() as memory:
            found = measure.run([*program, "step", f"architecture={architecture}", f"precision={precision}", *words])
    except measure.Failed as error:
        return str(error)
    return options.batch / statistics.median(found["seconds"]), found["grew_mib"] if CPU else memory.most - memory.before


def main():
    failed = False
    found = measure.run([OURS, "objectives", f"device={options.device}", f"n={100 if CPU else 3000}"])
    good = found["off"] is not None and found["off"] <= 1e-4
    failed |= not good
    print(f"{found['compared']} objectives and their gradients in f32 on {options.device} and in f64 on the CPU: ", end="")
    print(f"off by {found['off']} at most ({found['worst']}){'' if good else ': MORE THAN 1e-4'}\n")

    print(f"A training step of a ResNet-{options.depth}, {options.batch} images of {options.size} pixels, on {options.device}:\n")
    print("| architecture | precision | images/s | peer's | times | MiB | peer's |\n|---|---|---|---|---|---|---|")
    for part in measure.listed("architecture"):
        for precision in ("f32", "bf16") if CPU else ("f32", "tf32", "bf16"):
            sides = [step([OURS], part["name"], precision)]
            sides += [step(PEER, part["name"], precision)] if TORCHVISION else []
            failed |= any(isinstance(side, str) for side in sides)
            for side in sides:
                if isinstance(side, str):
                    print(side, file=sys.stderr)
            (rate, mib), (peer_rate, peer_mib) = [side if isinstance(side, tuple) else (None, None) for side in (sides + [""])[:2]]
            show = lambda value: "-" if value is None else f"{value:,.0f}"
            times = f"{rate / peer_rate:.2f}" if rate and peer_rate else "-"
            print(f"| {part['name']} | {precision} | {show(rate)} | {show(peer_rate)} | {times} | {show(mib)} | {show(peer_mib)} |", flush=True)
    return failed


sys.exit(main())
