"""How each kind of row is measured, ours and the peer's: functions of a row that return a dictionary with

    value      images a second, or seconds of one
    cpu        seconds of all processors together for one
    mib        how far memory grew
    waiting    the share of time that a training run waited for data
    calls      the share of time that a process was in calls to the others

of which all but the first may be missing.
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import made
from made import ROOT

RELEASE = ROOT / "target" / "release"
ENVIRONMENT = dict(os.environ, PYTHONPATH=f"{ROOT}/.golden:{ROOT}/.libtorch", PYTHONWARNINGS="ignore")


class Failed(Exception):
    """With what the program said."""


def run(command, **environment):
    """The JSON in the last line of what a program says."""
    return json.loads(output(command, **environment).strip().splitlines()[-1])


def listed(kind):
    """The registered parts of a kind."""
    return json.loads(output([RELEASE / "fmicl", "list", kind, "--json"]))


def output(command, **environment):
    command = list(map(str, command))
    done = subprocess.run(command, env=ENVIRONMENT | environment, cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(said(command, f"exit code {done.returncode}", done.stdout + done.stderr))
    return done.stdout


class Measure:
    def __init__(self, scratch, threads, photos, smoke):
        self.scratch, self.threads, self.smoke = scratch, threads, smoke
        # Whether our libjpeg was built with nasm, once it is known.
        self.jpeg_simd = None
        self.photos = photos or made.photos(scratch, 50 if smoke else 200)

    def folder(self):
        return pathlib.Path(tempfile.mkdtemp(dir=self.scratch))

    def program(self, row, ours):
        return self.repeat(row.words, row, ours)

    def products(self, row):
        return self.repeat(row.products, row, True)

    def repeat(self, words, row, ours):
        words = [*words, f"times={5 if ours else 2}", f"threads={row.threads or self.threads}"]
        if self.smoke:
            words = [row.small.get(word.split("=")[0], word) if "=" in word else word for word in words]
        result = run([*([RELEASE / "examples" / "bench"] if ours else [sys.executable, "bench/peer.py"]), *words])
        return {"value": statistics.median(result["seconds"]), "cpu": result["cpu_seconds"], "mib": result["grew_mib"]}

    def views(self, row, ours):
        what, threads, size = row.words
        root = made.cifar(self.scratch, 400) if what == "cifar" else self.shards() if what == "shards" else self.photos
        program = [RELEASE / "examples" / "bench", "views"] if ours else [sys.executable, "bench/views.py"]
        # One worker of a DataLoader costs more than none.
        threads = threads if ours or threads > 1 else 0
        seconds = 0.1 if self.smoke else 3
        result = run([*program, f"what={what}", f"root={root}", f"threads={threads}", f"seconds={seconds}", f"size={size}"])
        self.jpeg_simd = result.get("jpeg_simd", self.jpeg_simd)
        return {"value": result["per_second"], "cpu": result["cpu_seconds"]}

    def shards(self):
        """The photos in tar files."""
        folder = self.scratch / "shards"
        if not folder.exists():
            sets = [f"root={json.dumps(str(self.photos))}", 'labels="none"']
            output([RELEASE / "fmicl", "data", "pack", "image-folder", "--out", folder, *(word for each in sets for word in ("--set", each))])
        return folder

    def training(self, row, ours):
        # Six steps an epoch, or two.
        batch, epochs, root = 16 if self.smoke else 128, 2, made.cifar(self.scratch, 7 if self.smoke else 154)
        if not ours:
            layout = row.words[0]
            rates = run([sys.executable, "bench/train.py", root, batch, epochs, self.threads, layout])["images_per_s"]
            # The first epoch warms up.
            return {"value": statistics.median(rates[1:])}
        return self.trained(made.experiment(self.scratch, root, batch, epochs, self.threads, self.smoke), epochs)

    def processes(self, row, ours):
        """Images a second of two processes in relation to twice those of one: a thread and a batch of 32 for each."""
        alone, two = (self.together(row, count, ours) for count in (1, 2))
        return two | {"value": two["value"] / alone["value"] / 2}

    def together(self, row, count, ours):
        # Six steps an epoch, or two.
        batch, epochs = 4 if self.smoke else 32, 2 if self.smoke else 4
        root = made.cifar(self.scratch, (2 if self.smoke else 39) * count)
        launch = [ROOT / "scripts" / "torchrun", f"--nproc-per-node={count}", "--standalone"]
        if ours:
            experiment = made.experiment(self.scratch, root, batch * count, epochs, 1, self.smoke)
            return self.trained(experiment, epochs, [*launch, "--no-python"], threads=1)
        command = [*launch, "bench/train.py", root, batch, epochs, 1, "channels_last"]
        return {"value": statistics.median(run(command, OMP_NUM_THREADS="1")["images_per_s"][1:])}

    def trained(self, experiment, epochs, launch=(), threads=None):
        """Our training run, but for its first epoch, which warms up."""
        out = self.folder() / "run"
        metrics = out / "metrics.jsonl"
        # What comes after the last epoch, the evaluation, is not waited for.
        command = [*launch, RELEASE / "fmicl", "train", experiment, "--out", out]
        self.until(command, metrics, lambda text: text.count("\n") == epochs, threads)
        lines = [json.loads(line) for line in metrics.read_text().splitlines()][1:]
        median = lambda key: statistics.median(line[key] for line in lines)
        result = {"value": median("images_per_second"), "waiting": median("waiting")}
        return result | ({"calls": median("communicating")} if "communicating" in lines[0] else {})

    def sentences(self, row, ours):
        what, model, threads = row.words[0], ROOT / ".models" / "all-minilm-l6-v2", self.threads
        # Ten steps an epoch, or two; a file of as many lines as are read at a time.
        batch, epochs = (4, 2) if self.smoke else (64, 2)
        file = made.sentences(self.scratch, (2 if self.smoke else 10) * batch if what == "train" else 40 if self.smoke else 8192)
        if not ours:
            numbers = [batch, epochs, threads] if what == "train" else [threads]
            rate = run([sys.executable, "bench/text.py", what, model, file, *numbers])["per_second"]
            # The first epoch warms up.
            return {"value": statistics.median(rate[1:]) if what == "train" else rate}
        if what == "train":
            return self.trained(made.sentences_experiment(self.scratch, model, file, batch, epochs, threads), epochs)
        command, started = [RELEASE / "fmicl", "embed", model, "--out", self.folder() / "vectors.npy"], time.perf_counter()
        with file.open() as lines:
            done = subprocess.run(command, stdin=lines, env=self.environment(), cwd=ROOT, capture_output=True, text=True)
        if done.returncode != 0:
            raise Failed(said(list(map(str, command)), f"exit code {done.returncode}", done.stdout + done.stderr))
        return {"value": len(file.read_text().splitlines()) / (time.perf_counter() - started)}

    def start(self, row, ours):
        root = made.cifar(self.scratch, 7 if self.smoke else 154)
        if ours:
            # The log says so; what else is said goes nowhere.
            out = self.folder() / "run"
            experiment = made.experiment(self.scratch, root, 16, 1, self.threads, self.smoke)
            return {"value": self.until([RELEASE / "fmicl", "train", experiment, "--out", out], out / "log.txt", lambda text: "chance level" in text)}
        command = [sys.executable, "bench/train.py", root, 16, 1, self.threads, "contiguous"]
        return {"value": self.until(command, None, lambda text: "first" in text)}

    def environment(self, threads=None):
        return dict(ENVIRONMENT, OMP_NUM_THREADS=str(threads or self.threads))

    def until(self, command, watched, done, threads=None):
        """The seconds until `done` is true of the text of the watched file, by default of what the program says."""
        command, output = list(map(str, command)), self.folder() / "said"
        watched = watched or output
        started = time.perf_counter()
        with output.open("w") as file:
            process = subprocess.Popen(command, env=self.environment(threads), cwd=ROOT, stdout=file, stderr=subprocess.STDOUT)
        try:
            while not (watched.exists() and done(watched.read_text())):
                if process.poll() is not None:
                    raise Failed(said(command, "it ended too soon", output.read_text()))
                time.sleep(0.005)
            return time.perf_counter() - started
        finally:
            process.terminate()
            process.wait()


def said(command, what, output):
    return f"{' '.join(command)}: {what}\n{output}".strip()
