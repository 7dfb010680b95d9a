"""The graph on a toy corpus: it runs, rests, repeats itself, re-runs what a change touches."""

import json
import os
import random
import shutil
import signal
import subprocess
import time

import pytest
import yaml
from clones import environment, run
from pypdf import PdfReader

from shellac.files import read_csv, sha256


def locked(clone):
    return {
        out["path"]: out["md5"]
        for stage in yaml.safe_load((clone / "dvc.lock").read_text())["stages"].values()
        for out in stage.get("outs", [])
    }


def changed_stages(clone):
    return set(json.loads(run(clone, "dvc", "status", "--json").stdout))


def test_everything_is_built_and_a_second_run_does_nothing(clone):
    results = clone / "results" / "demo"
    rows = read_csv(results / "metrics" / "superres-summary.csv")
    assert {row["method"] for row in rows} == {
        "spline", "band_copy", "audiounet", "tfilm", "tfilm_legacy",
    }  # fmt: skip
    assert {row["low_pass"] for row in rows} == {"chebyshev", "butterworth", "sinc", "codec"}
    assert (results / "model-cards" / "superres" / "tfilm.md").is_file()
    rows = read_csv(results / "metrics" / "babe2-summary.csv")
    assert {row["method"] for row in rows} == {"input", "ltas", "informed", "blind"}
    assert (results / "model-cards" / "babe2" / "tiny.md").is_file()
    rows = read_csv(results / "metrics" / "inpainting-summary.csv")
    assert {row["method"] for row in rows} == {
        "damaged", "hold", "linear", "autoregressive", "autoregressive_two_orders", "UNet_Sun",
        "line",
    }  # fmt: skip
    assert (results / "model-cards" / "inpainting" / "line.md").is_file()
    rows = read_csv(results / "metrics" / "denoiser-summary.csv")
    assert {row["method"] for row in rows} == {
        "noisy", "declicked", "classical", "classical_profile", "unet_22k", "oracle_mask",
        "reference",
    }  # fmt: skip
    assert (results / "model-cards" / "denoiser" / "unet_22k.md").is_file()
    rows = read_csv(results / "metrics" / "behm_gan-summary.csv")
    assert {row["method"] for row in rows} == {"low_passed", "band_copy", "gan", "seanet"}
    assert {row["low_pass"] for row in rows} == {"repository", "sinc", "none"}
    assert (results / "model-cards" / "behm_gan" / "gan.md").is_file()
    text = "".join(page.extract_text() for page in PdfReader(results / "manuscript.pdf").pages)
    assert "not comparable" in text
    assert "up to date" in run(clone, "dvc", "repro").stdout
    run(clone, "shellac", "manuscript", "--stamp")
    assert (clone / "manuscript" / "output" / "manuscript.pdf").is_file()


def test_a_forced_second_run_gives_the_same_hashes(clone):
    before = locked(clone)
    run(clone, "dvc", "repro", "--force")
    assert locked(clone) == before


@pytest.mark.parametrize(
    ("change", "stages"),
    [
        ("superres.stimuli.seconds=2", {"superres-stimuli"}),
        ("superres.evaluation.resamples=200", {"superres-evaluate"}),
        (
            "superres.training.steps=5",
            {f"superres-train@{name}" for name in ("audiounet", "tfilm", "tfilm_legacy")},
        ),
        ("superres.training_low_pass=[sinc]", {"superres-fragments"}),
        ("superres.evaluation.low_pass=[sinc]", {"superres-evaluate"}),
        ("superres.stride=2048", {"superres-fragments"}),
        ("babe2.stimuli.seconds=2", {"babe2-stimuli"}),
        ("babe2.evaluation.resamples=200", {"babe2-evaluate", "babe2-stimuli"}),
        ("babe2.training.gain_db=1", {"babe2-train@tiny"}),
        ("inpainting.stimuli.seconds=2", {"inpainting-stimuli"}),
        ("inpainting.evaluation.resamples=200", {"inpainting-evaluate"}),
        (
            "inpainting.training.steps=5",
            {f"inpainting-train@{name}" for name in ("UNet_Sun", "line")},
        ),
        (
            "inpainting.gaps.burst=3",
            {"inpainting-fragments", "inpainting-evaluate"}
            | {f"inpainting-train@{name}" for name in ("UNet_Sun", "line")},
        ),
        ("denoiser.stimuli.seconds=2", {"denoiser-stimuli"}),
        ("denoiser.evaluation.resamples=200", {"denoiser-evaluate"}),
        ("denoiser.training.steps=5", {"denoiser-train@unet_22k"}),
        ("denoiser.mixing.snr_db=[3, 20]", {"denoiser-train@unet_22k"}),
        ("behm_gan.stimuli.seconds=2", {"behm_gan-stimuli"}),
        ("behm_gan.evaluation.resamples=200", {"behm_gan-evaluate", "behm_gan-stimuli"}),
        (
            "behm_gan.training.adversary.updates=1",
            {f"behm_gan-train@{name}" for name in ("gan", "seanet")},
        ),
        ("behm_gan.segment_seconds=0.3", {"behm_gan-fragments"}),
        (
            "data.splits.test=0.3",
            {f"download@synthesised-{name}" for name in ("piano", "ensemble", "noise")},
        ),
    ],
)
def test_a_change_re_runs_what_it_touches(clone, change, stages):
    params = (clone / "params.yaml").read_bytes()
    settings = yaml.safe_load(params)
    *parents, last = (name := change.split("=")[0]).split(".")
    tree = settings
    for key in parents:
        tree = tree[key]
    tree[last] = yaml.safe_load(change.removeprefix(f"{name}="))
    (clone / "params.yaml").write_text(yaml.safe_dump(settings))
    try:
        # the notebook and the text print the settings themselves
        systems = ("superres", "denoiser", "behm_gan", "babe2", "inpainting")
        shown = {*(f"{name}-notebook" for name in systems), "manuscript"}
        assert changed_stages(clone) - shown == stages
    finally:
        (clone / "params.yaml").write_bytes(params)


def test_training_killed_three_times_ends_with_the_same_weights(clone, tmp_path):
    target = tmp_path / "clone"
    shutil.copytree(clone, target, symlinks=True)
    params = yaml.safe_load((target / "params.yaml").read_text())
    params["superres"]["training"].update(steps=800, checkpoint_seconds=0.05, validate_every=200)
    (target / "params.yaml").write_text(yaml.safe_dump(params))
    weights = target / "results" / "demo" / "models" / "superres" / "audiounet.safetensors"
    command = ["shellac", "train", "superres/audiounet"]

    run(target, *command)
    expected = sha256(weights)
    weights.unlink()
    moments, seen = random.Random(7), None
    for _ in range(3):
        process = subprocess.Popen(
            command, cwd=target, env=environment(target), start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            # wherever this machine's time goes, each kill falls into the training itself:
            # some random number of checkpoints after the one that the process began with
            for _ in range(moments.randint(1, 4)):
                seen = next_checkpoint(target, process, seen)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        assert not weights.exists(), "the training ended before it was killed"
    run(target, *command)
    assert sha256(weights) == expected
    assert not list((target / ".scratch").glob("superres-*"))


def next_checkpoint(target, process, seen):
    """Wait until the training has written another checkpoint than ``seen``; what tells it."""
    while process.poll() is None:
        for path in target.glob(".scratch/*/checkpoint.pt"):
            status = path.stat()
            if (token := (status.st_ino, status.st_mtime_ns)) != seen:
                return token
        time.sleep(0.002)
    raise AssertionError(f"the training ended by itself with status {process.returncode}")


def test_notebooks_opened_by_hand_make_what_the_stages_made(clone, tmp_path):
    target = tmp_path / "shellac"
    shutil.copytree(clone, target, symlinks=True)
    done = run(target, "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--nbval-lax",
               "--rootdir", str(target / "notebooks"), "notebooks")  # fmt: skip
    assert "passed" in done.stdout
    assert "up to date" in run(target, "dvc", "status").stdout


def test_an_archive_that_is_no_git_repository_works(sources, tmp_path):
    target = tmp_path / "an archive"  # a space in the path must not matter
    shutil.copytree(sources, target)
    run(target, "make", "workspace")
    run(target, "shellac", "profile", "demo", "--set", *(
        f"data.synthesis.synthesised-noise.{change}" for change in ("pieces=3", "seconds=1")
    ))  # fmt: skip
    run(target, "dvc", "repro", "download@synthesised-noise")
    assert (target / "data" / "raw" / "demo" / "synthesised-noise" / "index.csv").is_file()


def test_a_detached_head_works(clone, tmp_path):
    target = tmp_path / "shellac"
    shutil.copytree(clone, target, symlinks=True)
    run(target, "git", "checkout", "-q", "--detach")
    run(target, "make", "workspace")
    assert not (target / ".dvc" / "config.local").exists()
    assert "up to date" in run(target, "dvc", "repro").stdout
