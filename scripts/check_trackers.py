"""Checks with TensorBoard's own reader what the tracker `tensorboard` writes: run `make check-trackers`.

A run is killed while it trains, and resumed. Every number of its metrics.jsonl and steps.jsonl must be a scalar at the same
step, once, and no other may be there; images, histograms, the config and its values must be read back. So must it be for a
reader that was open before the kill.
"""

import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

FMICL = Path("target/release/fmicl").resolve()
EXPERIMENT = """
trackers = ["jsonl", "tensorboard"]
dataset = "digits"
backbone = { name = "resnet", depth = 18, stem = "cifar", width = 8 }
architecture = { name = "simclr", out = 16 }
objective = { name = "f-micl", divergence = "kl", similarity = "gaussian" }
optimizer = "sgd"
device = "cpu"
views.size = 16
train = { epochs = 4, batch_size = 64, lr = 0.01, log_every = 3, checkpoint_every = 2 }
eval.every = 2
evaluations = { knn.k = 5 }
"""


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def numbers(value, name=""):
    """The numbers of a line by their names."""
    for key, value in value.items():
        if isinstance(value, dict):
            yield from numbers(value, f"{name}{key}/")
        elif value is None or isinstance(value, (int, float)):
            yield f"{name}{key}", value


def expected(run):
    scalars = {}
    for file, group in [("steps.jsonl", "step"), ("metrics.jsonl", "epoch")]:
        for line in lines(run / file):
            for name, value in numbers(line):
                if name not in ("epoch", "step"):
                    tag = name if "/" in name else f"{group}/{name}"
                    scalars.setdefault(tag, []).append((line["step"], np.float32(np.nan if value is None else value)))
    result = json.loads((run / "result.json").read_text())
    for report in result["reports"]:
        if report["representation"] == "trained encoder":
            for metric in report["metrics"]:
                tag = f"result/{report['evaluation']}/{metric['name']}"
                scalars[tag] = [(lines(run / "metrics.jsonl")[-1]["step"], np.float32(metric["value"]))]
    return scalars


def read(events):
    return {tag: [(event.step, np.float32(event.value)) for event in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def require(holds, what):
    if not holds:
        sys.exit(f"check-trackers: {what}")


def same(found, wanted, reader):
    require(found.keys() == wanted.keys(), f"{reader} has other scalars: {sorted(found.keys() ^ wanted.keys())}")
    for tag, values in wanted.items():
        require([step for step, _ in found[tag]] == [step for step, _ in values], f"{reader}: steps of {tag}: {found[tag]}, not {values}")
        equal = np.array_equal([value for _, value in found[tag]], [value for _, value in values], equal_nan=True)
        require(equal, f"{reader}: {tag}: {found[tag]}, not {values}")


def train(folder):
    """Kills a run behind its first checkpoint, and resumes it; gives what a reader makes of the files that stays open."""
    run, file = folder / "run", folder / "x.toml"
    file.write_text(EXPERIMENT)
    command = [FMICL, "train", file, "--out", run, "--resume", "auto"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    while process.poll() is None and len(lines(run / "steps.jsonl")) < 20:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    require(process.wait() == -signal.SIGKILL, "the run ended before it was killed")
    steps = lines(run / "steps.jsonl")[-1]["step"]
    checkpoint = max(int(path.name.split("-")[1]) for path in (run / "checkpoints").iterdir())
    require(checkpoint < steps, "the checkpoint is not behind the kill")
    open_reader = EventAccumulator(str(run / "tensorboard"), size_guidance={"scalars": 0})
    open_reader.Reload()
    # The kill may have come between the two files.
    written = open_reader.Scalars("step/loss")[-1].step
    require(written >= lines(run / "steps.jsonl")[-2]["step"], f"step {steps} is written, and only {written} can be read")
    done = subprocess.run(command, capture_output=True, text=True)
    require(done.returncode == 0, done.stderr)
    open_reader.Reload()
    print(f"killed behind step {steps}, resumed at step {checkpoint}")
    return run, open_reader


with tempfile.TemporaryDirectory() as folder:
    run, open_reader = train(Path(folder))
    wanted = expected(run)
    events = EventAccumulator(str(run / "tensorboard"), size_guidance={"scalars": 0, "histograms": 0, "images": 0, "tensors": 0})
    events.Reload()
    same(read(events), wanted, "a reader of the files")
    same(read(open_reader), wanted, "a reader that was open meanwhile")
    print(f"{sum(map(len, wanted.values()))} scalars in {len(wanted)} curves are those of the JSON lines, each once")

    epochs = [line["step"] for line in lines(run / "metrics.jsonl")]
    for kind in ("positive", "negative"):
        histograms = events.Histograms(f"cosines/{kind}")
        require([event.step for event in histograms] == epochs, f"the histograms of {kind} pairs: {histograms}")
        for value in (event.histogram_value for event in histograms):
            require(sum(value.bucket) == value.num and -1.001 < value.min <= value.max < 1.001, f"a histogram: {value}")
    # The mean cosine is also a metric: of all pairs of anchors.
    for event, line in zip(events.Histograms("cosines/negative"), lines(run / "metrics.jsonl")):
        mean = event.histogram_value.sum / event.histogram_value.num
        require(abs(mean - line["projections"]["mean_cosine"]) < 1e-5, f"mean cosine {mean}, not {line['projections']}")
    images = [events.Images(f"views/{view}") for view in (1, 2)]
    require(all([(image.step, image.height, image.width) for image in view] == [(1, 16, 8 * 16)] for view in images), f"images: {images}")
    require(all(view[0].encoded_image_string.startswith(b"\x89PNG") for view in images), "images are not PNG")
    [config] = events.Tensors("config")
    require('name = "resnet"' in config.tensor_proto.string_val[0].decode(), "the config cannot be read")
    metadata = events.SummaryMetadata("_hparams_/session_start_info").plugin_data
    hparams = plugin_data_pb2.HParamsPluginData.FromString(metadata.content).session_start_info.hparams
    require(hparams["train.lr"].number_value == 0.01 and hparams["optimizer.name"].string_value == "sgd", f"hparams: {hparams}")
    end = plugin_data_pb2.HParamsPluginData.FromString(events.SummaryMetadata("_hparams_/session_end_info").plugin_data.content)
    require(end.session_end_info.status == 1, f"the end: {end}")
    print("histograms, images, the config and its values are read back")
