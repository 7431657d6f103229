"""Runs the rows of rows.py and their peers in turn and writes BENCHMARKS.md, which is never edited.

    bench.py [--rounds 3] [--only TEXT] [--photos FOLDER]     FOLDER has train/CLASS/*.JPEG
    bench.py --smoke                                          everything once at small sizes, nothing written

Ours and the peer's run one after the other in every round, so that a machine that gets slower does so for both. A cell is
the median of all rounds with the least and the most; the ratio is the median of the rounds' own ratios.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time

from rows import SECTIONS

ROOT = pathlib.Path(__file__).resolve().parent.parent
RELEASE = ROOT / "target" / "release"
PYTHON = dict(os.environ, PYTHONPATH=f"{ROOT}/.golden:{ROOT}/.libtorch", PYTHONWARNINGS="ignore")

options = argparse.ArgumentParser()
options.add_argument("--rounds", type=int, default=3)
options.add_argument("--only", default="")
options.add_argument("--photos", type=pathlib.Path)
options.add_argument("--threads", type=int, default=min(2, os.cpu_count()))
options.add_argument("--smoke", action="store_true")
options = options.parse_args()


class Skipped(Exception):
    pass


def run(command):
    done = subprocess.run(list(map(str, command)), env=PYTHON, cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def words(row, times):
    said = row.words + [f"times={times}"] + ([] if any(w.startswith("threads=") for w in row.words) else [f"threads={options.threads}"])
    if options.smoke:
        said = [row.small.get(word.split("=")[0], word) if "=" in word else word for word in said]
    return said


def program(row, ours, scratch):
    command = [RELEASE / "examples" / "bench"] if ours else [sys.executable, "bench/peer.py"]
    result = run([*command, *words(row, 5 if ours else 2)])
    return {"value": statistics.median(result["seconds"]), "cpu": result["cpu_seconds"], "mib": result["grew_mib"]}


def views(row, ours, scratch):
    what, threads = row.words
    root = cifar(scratch, 2000) if what == "cifar" else options.photos
    if root is None:
        raise Skipped("no --photos were given")
    command = [RELEASE / "examples" / "views_throughput"] if ours else [sys.executable, "fmicl-data/examples/views_throughput.py"]
    # One worker of a DataLoader costs more than none.
    threads = threads if ours or threads != "1" else "0"
    result = run([*command, what, root, threads, 0.2 if options.smoke else 5])
    return {"value": result["images_per_cpu_s"]}


def cifar(scratch, count):
    """CIFAR-10's binary layout with random pixels: no step of ours or theirs depends on what is seen."""
    folder = scratch / f"cifar-{count}"
    if not folder.exists():
        folder.mkdir()
        for name in [f"data_batch_{i}.bin" for i in range(1, 6)] + ["test_batch.bin"]:
            folder.joinpath(name).write_bytes(b"".join(bytes([i % 10]) + os.urandom(3072) for i in range(count)))
    return folder


def experiment(scratch, batch, epochs):
    path = scratch / "experiment.toml"
    path.write_text(
        f"""
dataset = {{ name = "cifar10", root = "{cifar(scratch, 128)}" }}
backbone = {{ name = "resnet", depth = 18, stem = "cifar"{', width = 8' if options.smoke else ''} }}
architecture = {{ name = "simclr", out = 128 }}
objective = {{ name = "f-micl", divergence = "js", similarity = {{ name = "gaussian", sigma = 0.5 }} }}
optimizer = {{ name = "sgd", momentum = 0.9, weight_decay = 5e-4 }}
device = "cpu"
train = {{ epochs = {epochs}, batch_size = {batch}, lr = 0.06, threads = {options.threads} }}
"""
    )
    return path


def training(row, ours, scratch):
    batch, epochs = 128, 2 if options.smoke else 3
    if ours:
        out = pathlib.Path(tempfile.mkdtemp(dir=scratch)) / "run"
        environment = dict(os.environ, OMP_NUM_THREADS=str(options.threads))
        command = [RELEASE / "fmicl", "train", experiment(scratch, batch, epochs), "--out", out]
        subprocess.run(list(map(str, command)), env=environment, check=True, capture_output=True)
        rates = [json.loads(line)["images_per_second"] for line in (out / "metrics.jsonl").read_text().splitlines()]
    else:
        rates = run([sys.executable, "bench/train.py", cifar(scratch, 128), batch, epochs, options.threads, *row.words])["images_per_s"]
    # The first epoch warms up.
    return {"value": statistics.median(rates[1:])}


def start(row, ours, scratch):
    said = pathlib.Path(tempfile.mkdtemp(dir=scratch)) / "said"
    if ours:
        # The log says so; what else is said goes nowhere.
        out = said.parent / "run"
        command = [RELEASE / "fmicl", "train", experiment(scratch, 16, 1), "--out", out]
        sign, watched = "chance level", out / "log.txt"
    else:
        command = [sys.executable, "bench/train.py", cifar(scratch, 128), 16, 1, options.threads, "contiguous"]
        sign, watched = "first", said
    started = time.perf_counter()
    with said.open("w") as output:
        process = subprocess.Popen(list(map(str, command)), env=PYTHON, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
    try:
        while not (watched.exists() and sign in watched.read_text()):
            if process.poll() is not None:
                sys.exit(f"{' '.join(map(str, command))}\nended without `{sign}`:\n{said.read_text()}")
            time.sleep(0.005)
        return {"value": time.perf_counter() - started}
    finally:
        process.terminate()
        process.wait()


MEASURE = {"program": program, "views": views, "training": training, "start": start}
# Where more is better.
RATES = {"views", "training"}


def measure(row, scratch):
    if row.torchvision and not (ROOT / ".golden" / "torchvision").exists():
        raise Skipped("torchvision is not installed: `make bench` does that")
    rounds = []
    for _ in range(1 if options.smoke else options.rounds):
        ours = MEASURE[row.kind](row, True, scratch)
        rounds.append((ours, MEASURE[row.kind](row, False, scratch) if row.peer else None))
        print(f"  {row.title}: {ours} {rounds[-1][1] or ''}", file=sys.stderr, flush=True)
    return rounds


def number(value):
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def spread(values, factor):
    values = sorted(value * factor for value in values)
    return f"{number(statistics.median(values))} ({number(values[0])} to {number(values[-1])})"


def ratio(rounds, key, inverted):
    of = [(peer[key] / ours[key]) ** (-1 if inverted else 1) for ours, peer in rounds]
    return f"{statistics.median(of):.1f}" if statistics.median(of) < 100 else f"{statistics.median(of):.0f}"


def table(rows, scratch):
    kind = rows[0].kind
    factor, unit = {"program": (1000, "ms"), "start": (1, "s")}.get(kind, (1, "images/s"))
    lines = [f"| | ours, {unit} | peer, {unit} | times | times by processor time | at least | memory, ours and peer, MiB |", "|---|---|---|---|---|---|---|"]
    for row in rows:
        try:
            rounds = measure(row, scratch)
        except Skipped as why:
            lines.append(f"| {row.title} | skipped: {why} | | | | | |")
            continue
        cells = [row.title, spread([ours["value"] for ours, _ in rounds], factor)]
        if row.peer:
            processor = ratio(rounds, "cpu", False) if "cpu" in rounds[0][0] else ""
            cells += [spread([peer["value"] for _, peer in rounds], factor), ratio(rounds, "value", kind in RATES), processor]
        else:
            cells += ["", "", ""]
        memory = [max(side["mib"] for side in sides if side) for sides in zip(*rounds) if sides[0]] if "mib" in rounds[0][0] else []
        cells += [str(row.target or ""), " and ".join(f"{mib:.0f}" for mib in memory)]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def first(pattern, text):
    found = re.search(pattern, text)
    return found.group(1).strip() if found else "unknown"


def machine():
    cpu = first(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text()) if os.path.exists("/proc/cpuinfo") else platform.processor()
    cores, memory = os.cpu_count(), os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = "import torch; print(torch.__version__, torch.backends.cpu.get_cpu_capability())"
    torch = subprocess.run([sys.executable, "-c", versions], env=PYTHON, capture_output=True, text=True).stdout.strip()
    others = [path.name.split(".dist-info")[0] for path in sorted((ROOT / ".golden").glob("*.dist-info"))]
    rust = subprocess.run(["rustc", "--version"], capture_output=True, text=True).stdout.strip()
    return [
        f"* {cpu}, {cores} cores, {memory:.0f} GiB; {platform.system()} {platform.release()}",
        f"* torch {torch}, {', '.join(name for name in others if name.startswith(('torchvision', 'pillow')))}; Python {platform.python_version()}; {rust}",
        f"* {options.threads} threads unless a row says otherwise, {options.rounds} rounds, {datetime.date.today()}",
    ]


def main():
    load = [os.getloadavg()[0]]
    lines = ["# Benchmarks", "", "Written by `make bench`; not edited. Medians, with the least and the most of the rounds.", ""]
    with tempfile.TemporaryDirectory() as scratch:
        for title, rows in SECTIONS.items():
            rows = [row for row in rows if options.only in f"{title} {row.title}"]
            if options.smoke:
                rows = [row for row in rows if row.kind == "program" and (row.peer or "threads=2" in row.words)]
                # One of each kind: the program is the same.
                rows = list({row.words[0] + str([w for w in row.words if "pairs" in w]): row for row in rows}.values())
            if rows:
                print(title, file=sys.stderr, flush=True)
                lines += [f"## {title}", "", *table(rows, pathlib.Path(scratch)), ""]
    load.append(os.getloadavg()[0])
    lines[3:3] = machine() + [f"* load of the machine before and after: {load[0]:.1f}, {load[1]:.1f}", ""]
    if options.smoke:
        print("every benchmark runs")
    else:
        (ROOT / "BENCHMARKS.md").write_text("\n".join(lines) + "\n")


main()
