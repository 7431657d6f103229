"""Runs the rows of rows.py and their peers in turn and writes BENCHMARKS.md, which is never edited.

    bench.py [--rounds 3] [--threads N] [--photos FOLDER]    FOLDER has train/CLASS/*.JPEG; without it photos are made
    bench.py --only TEXT                                     rows with this in their title or section's; printed, not written
    bench.py --smoke                                         one of each kind at small sizes; nothing written

Ours and the peer's run one after the other in every round, so that a machine that gets slower does so for both. A row that
fails is marked, the others go on, and the exit code is 1.
"""

import argparse
import datetime
import os
import pathlib
import platform
import re
import subprocess
import sys
import tempfile
import time

import made
import measure
from report import Table, in_unit, number
from rows import SECTIONS

options = argparse.ArgumentParser()
options.add_argument("--rounds", type=int, default=3)
options.add_argument("--only", default="")
options.add_argument("--photos", type=lambda path: pathlib.Path(path).resolve())
options.add_argument("--threads", type=int, default=min(2, os.cpu_count()))
options.add_argument("--smoke", action="store_true")
options = options.parse_args()

ROOT, STARTED = made.ROOT, time.monotonic()
JPEG = {True: "has SIMD", False: "has no SIMD: it was built without nasm", None: "was not used"}
PACKAGES = all((ROOT / ".golden" / name).exists() for name in ("torchvision", "sentence_transformers"))


def tell(text):
    print(f"[{(time.monotonic() - STARTED) / 60:5.1f} min] {text}", file=sys.stderr, flush=True)


def chosen(title, rows, seen):
    for row in rows:
        if row.kind != "share" and row.needs and not (ROOT / row.needs[0]).exists():
            tell(f"{row.title}: left out, there is no {row.needs[0]}; `{row.needs[1]}` makes it")
    rows = [row for row in rows if row.kind == "share" or not row.needs or (ROOT / row.needs[0]).exists()]
    if not options.smoke:
        return [row for row in rows if options.only in f"{title} {row.title}"]
    # One of each kind, those of one program by what it does: sizes make no other.
    does = lambda row: (row.kind, *[word for word in row.words if not re.match(r"n=|divergence=|name=|bank=|\d|c", str(word))])
    return [row for row in rows if row.kind != "share" and row.peer and does(row) not in seen and not seen.add(does(row))]


def measured(measures, row, cache):
    """One round of a row."""
    method = getattr(measures, row.kind)
    # Several peers of one training run.
    if row.kind != "training" or "training" not in cache:
        cache[row.kind] = method(row, True)
    result = {"ours": cache[row.kind]}
    if row.products:
        result["products"] = measures.products(row)
    if row.peer and (PACKAGES or not row.packages):
        result["peer"] = method(row, False)
    values = (f"{who} {number(in_unit(row, side['value']))}" for who, side in result.items())
    tell(f"{row.title}: {', '.join(values)} {row.unit}")
    return result


def section(measures, title, rows):
    rounds, failed = {}, {}
    for index in range(1 if options.smoke else options.rounds):
        tell(f"{title}, round {index + 1}")
        cache = {}
        for row in rows:
            if row.kind == "share" or row.title in failed:
                continue
            try:
                rounds.setdefault(row.title, []).append(measured(measures, row, cache))
            except Exception as error:
                failed[row.title] = f"{error}" if isinstance(error, measure.Failed) else repr(error)
                tell(f"{row.title}: FAILED: {failed[row.title]}")
    return Table(title, rows, rounds, failed)


def machine(measures):
    info = pathlib.Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.*)", info.read_text()) if info.exists() else None
    cpu = found.group(1) if found else platform.processor()
    cores, memory = os.cpu_count(), os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    output = lambda *command: subprocess.run(command, env=measure.ENVIRONMENT, capture_output=True, text=True).stdout.strip()
    torch = output(sys.executable, "-c", "import torch; print(torch.__version__, torch.backends.cpu.get_cpu_capability())")
    others = [path.name.split(".dist-info")[0] for path in sorted((ROOT / ".golden").glob("*.dist-info"))]
    others = ", ".join(name for name in others if name.startswith(("torchvision", "pillow", "transformers", "sentence_transformers", "tokenizers")))
    return [
        f"* {cpu}, {cores} cores, {memory:.0f} GiB; {platform.system()} {platform.release()}",
        f"* torch {torch}, {others}; Python {platform.python_version()}; {output('rustc', '--version')}",
        f"* {options.threads} threads unless a row says otherwise; {datetime.date.today()}, fmicl {output('git', 'describe', '--always', '--dirty')}",
        f"* photos: {options.photos.name if options.photos else 'made, ' + made.MADE_PHOTOS}; our libjpeg {JPEG[measures.jpeg_simd]}",
    ]


def document(measures, tables, load):
    minutes = (time.monotonic() - STARTED) / 60
    lines = [
        "# Benchmarks",
        "",
        "Written by `make bench`, not edited. A cell is the median of the rounds with the least and the most; `times` is how",
        "many times faster than the peer, the median of the rounds' own. **Bold** is short of what is asked.",
        "",
        *machine(measures),
        f"* {options.rounds} rounds, {minutes:.0f} minutes; load of the machine before {load:.1f}",
        "",
    ]
    for table in tables:
        lines += table.lines()
    short = [line for table in tables for line in table.short]
    return lines + ["## Short of what is asked", "", *([f"* {line}" for line in short] or ["Nothing."])], short


def main():
    load, tables, seen = os.getloadavg()[0], [], set()
    with tempfile.TemporaryDirectory() as scratch:
        measures = measure.Measure(pathlib.Path(scratch), options.threads, options.photos, options.smoke)
        for title, rows in SECTIONS.items():
            if rows := chosen(title, rows, seen):
                tables.append(section(measures, title, rows))
    failed = any(table.failed for table in tables)
    if options.smoke:
        print("a benchmark failed" if failed else "every benchmark runs")
        return failed
    lines, short = document(measures, tables, load)
    if options.only:
        print("\n".join(lines))
    else:
        (ROOT / "BENCHMARKS.md").write_text("\n".join(lines) + "\n")
        print("\n".join(["short of what is asked:", *short] if short else ["nothing is short of what is asked"]))
    return failed


sys.exit(main())
