"""Checks all-MiniLM-L6-v2 here against sentence-transformers: run `make check-text`, or `make check-text STS=FILE` with the
STS benchmark's dev.csv.

The embeddings of 32 sentences differ by less than 1e-5, and with a file of pairs the Spearman correlation by less than
1e-4.
"""

import csv
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr
from sentence_transformers import SentenceTransformer

FMICL, MODEL = Path("target/release/fmicl").resolve(), Path(".models/all-minilm-l6-v2").resolve()
# Of all lengths, with what tokenizers treat each in its own way.
SENTENCES = [
    *("A man is playing a guitar.", "Der Käfer läuft über den Weg.", "naïve café, résumé", "日本語のテキスト", "x", "..."),
    *("It's 3.14, or 1,000,000 — isn't it?", "HTTP://EXAMPLE.COM/a?b=c&d=%20", "emoji 🙂 and\ttabs", "antidisestablishmentarianism"),
    *(" ".join(["The river", "rose again", "after the rain", "of a long night"][: n % 4 + 1] * (n + 1)) + "." for n in range(22)),
]


def fmicl(*args, stdin=None):
    run = subprocess.run([FMICL, *map(str, args)], capture_output=True, text=True, input=stdin)
    assert run.returncode == 0, run.stderr
    return run.stdout


def embeddings(model):
    assert len(SENTENCES) == 32
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "vectors.npy"
        fmicl("embed", MODEL, "--normalize", "--out", file, stdin="".join(f"{line}\n" for line in SENTENCES))
        ours = np.load(file)
    off = float(np.abs(ours - model.encode(SENTENCES, normalize_embeddings=True)).max())
    print(f"embeddings of 32 sentences: off by at most {off:.1e} (1e-5 is allowed)")
    return off < 1e-5


def spearman(model, path):
    rows = list(csv.reader(open(path, encoding="utf-8", newline="")))
    one, two = (model.encode([row[column] for row in rows], normalize_embeddings=True) for column in (0, 1))
    theirs = spearmanr((one.astype(np.float64) * two).sum(1), [float(row[2]) for row in rows]).statistic
    report = json.loads(fmicl("eval", MODEL, "--on", "sts", "--data", path, "--json"))
    ours = report["rows"][0]["figures"][0]["value"] / 100
    print(f"Spearman on {len(rows)} pairs: {ours:.8f}, sentence-transformers {theirs:.8f}, off by {abs(ours - theirs):.1e} (1e-4 is allowed)")
    return abs(ours - theirs) < 1e-4


model = SentenceTransformer(str(MODEL), device="cpu")
good = embeddings(model)
if path := os.environ.get("STS"):
    good &= spearman(model, path)
else:
    print("STS is not set to a file of pairs (make check-text STS=dev.csv): the correlation is not compared")
sys.exit(0 if good else "check-text: what fmicl makes of sentences is not what sentence-transformers makes")
