"""Checks `fmicl schema` with a validator of JSON Schema: run `make check-schema`.

Every experiment and sweep in `experiments` is valid; a wrong key, name or type in one is not.
"""

import copy
import json
import subprocess
import tomllib
from pathlib import Path

from jsonschema import Draft7Validator


def schema(document: str) -> Draft7Validator:
    text = subprocess.run(["target/release/fmicl", "schema", document], check=True, capture_output=True).stdout
    parsed = json.loads(text)
    Draft7Validator.check_schema(parsed)
    return Draft7Validator(parsed)


experiment, sweep = schema("experiment"), schema("sweep")
checked = 0
for path in sorted(Path("experiments").rglob("*.toml")):
    # A table that experiments extend, and scales that sweeps share, are no documents of their own.
    if path.parent.name == "views" or path.name == "scales.toml":
        continue
    document = tomllib.loads(path.read_text())
    validator = sweep if "experiment" in document else experiment
    for error in validator.iter_errors(document):
        raise SystemExit(f"{path}: {'.'.join(map(str, error.path))}: {error.message}")
    checked += 1
assert checked > 20, checked

base = tomllib.loads(Path("experiments/quickstart.toml").read_text())
for key, value in {
    "trian": {},
    "seed": "one",
    "optimizer": "sdg",
    "train": {**base["train"], "epoch": 3},
    "objective": {"name": "f-micl", "divergence": "lk"},
    "views": {"name": "image", "flip": {"q": 0.5}},
    "evaluations": {"knn": {"kk": 3}},
    "trackers": ["json"],
}.items():
    wrong = copy.deepcopy(base)
    wrong[key] = value
    assert not experiment.is_valid(wrong), f"{key} = {value} is valid"
print(f"{checked} documents are valid, and 8 wrong ones are not")
