"""Plausible results of the generative equaliser, so that its reports are tested untrained."""

from pathlib import Path

import numpy as np
import torch

from shellac import audio, config, weights
from shellac.files import sha256, write_json, write_text

SAMPLE_RATE = 16000
METHODS = {"input": 3.0, "ltas": 2.0, "informed": 1.0, "blind": 1.5}
HIGHER = ("onset_correlation", "chroma_similarity")
LOWER = ("lsd", "band_error_low_db", "band_error_middle_db", "band_error_high_db",
         "filter_error_db")  # fmt: skip


def networks(root: Path) -> list[str]:
    """Names of the priors that the settings list."""
    return list(config.read_tree(root / "params.yaml")["babe2"]["networks"])


def write(root: Path) -> None:
    """Fill ``root/results/demo`` with what the stages of the generative equaliser leave."""
    results = root / "results" / "demo"
    for name in networks(root):
        _write_scores(results / "metrics", name)
        _write_weights(results / "models" / "babe2", name)
        head = "step,loss,validation_loss"
        rows = [(step, 1 - step / 500, 0.95 - step / 500) for step in (100, 200, 300)]
        _csv(results / "metrics" / "babe2-training" / f"{name}.csv", head, rows)
    _write_stimuli(results / "stimuli" / "babe2")
    excerpt = {"file": "historical/disc.flac", "sha256": "2" * 64, "start_seconds": 25.0,
               "seconds": 10.0, "of_seconds": 60.0}  # fmt: skip
    told = {"recordings": 3, "excerpts": [excerpt]}
    write_json(results / "restored" / "babe2" / "excerpts.json", told)


def _write_scores(folder: Path, name: str) -> None:
    means, paired = [], []
    for role in ("piano", "all"):
        for method, error in METHODS.items():
            for metric in (*LOWER, *HIGHER):
                if (method, metric) == ("informed", "filter_error_db"):
                    continue
                mean = 1 - 0.1 * error if metric in HIGHER else error
                means.append((role, name, method, metric, mean, mean - 0.1, mean + 0.1, 6))
                if method != "ltas":
                    mean = (mean - 0.8) if metric in HIGHER else error - METHODS["ltas"]
                    bounds = (mean, mean - 0.02, mean + 0.02, 6)
                    paired.append((role, name, method, "ltas", metric, *bounds))
    numbers = "mean,low,high,tracks"
    _csv(folder / "babe2-summary.csv", f"role,network,method,metric,{numbers}", means)
    _csv(folder / "babe2-paired.csv", f"role,network,method,against,metric,{numbers}", paired)
    distances = [(name, method, "made up", e, e - 0.2, e + 0.2, 6) for method, e in METHODS.items()]
    _csv(folder / "babe2-frechet.csv", f"network,method,embedding,{numbers}", distances)
    hz = np.geomspace(40, 8000, 20)
    curves = [
        (name, track, each, -6 * np.log2(each / 1000), -5.0, -4.0)
        for track in ("one", "two", "three", "four")
        for each in hz
    ]
    _csv(folder / "babe2-filters.csv", "network,track,hz,true_db,ltas_db,blind_db", curves)


def _csv(path: Path, head: str, rows: list[tuple]) -> None:
    write_text(path, "\n".join([head, *(",".join(map(str, row)) for row in rows)]) + "\n")


def _write_weights(folder: Path, name: str) -> None:
    card = weights.Card(
        network="babe2/cqtdiff_22k", settings={"samples": 24576}, sample_rate=SAMPLE_RATE,
        level=None, edge_seconds=0.0, origin="trained", licence="none", profile="demo",
        trained_on=("0" * 64, "1" * 64),
        extra={"parameters": 199408, "roles": ["piano"], "steps": 200, "levels": "log-normal",
               "start_from": "", "sampling": {"steps": 16, "order": 2, "guidance": "likelihood"}},
    )  # fmt: skip
    weights.store(folder / f"{name}.safetensors", {"x": torch.zeros(1)}, card)


def _write_stimuli(folder: Path) -> None:
    rng = np.random.default_rng(4)
    conditions = {}
    for number, name in enumerate(("reference", *METHODS)):
        path = folder / f"{number}.flac"
        audio.write(path, 0.1 * rng.standard_normal((1, 2 * SAMPLE_RATE)), SAMPLE_RATE)
        conditions[name] = {"file": path.name, "sha256": sha256(path), "gain_db": 0.0}
    item = {"track": "piano-000", "role": "piano", "sample_rate": SAMPLE_RATE,
            "start_seconds": 0.0, "seconds": 2.0, "conditions": conditions}  # fmt: skip
    write_json(folder / "manifest.json", {"system": "babe2", "items": [item]})
