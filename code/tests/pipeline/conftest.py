"""A clone of the repository with a toy profile, run once for all pipeline tests."""

import shutil

import pytest
from clones import copy_sources, run

TOY = [
    "data.synthesis.synthesised-piano.pieces=6",
    "data.synthesis.synthesised-piano.seconds=3",
    "data.synthesis.synthesised-ensemble.pieces=24",
    "data.synthesis.synthesised-ensemble.seconds=2",
    "data.synthesis.synthesised-noise.pieces=3",
    "data.synthesis.synthesised-noise.seconds=2",
    "superres.networks={audiounet: {width: 0.03125}, tfilm: {width: 0.03125, mode: correct},"
    " tfilm_legacy: {network: tfilm, width: 0.03125, mode: legacy}}",
    "superres.training.steps=4",
    "superres.training.batch_size=2",
    "superres.training.validate_every=2",
    "superres.evaluation.resamples=100",
    "superres.stimuli.tracks=1",
    "superres.stimuli.seconds=1",
    "babe2.samples=4096",
    "babe2.networks={tiny: {channels: [8, 8, 8], dilated_layers: [1, 1, 1], bins_per_octave: 8,"
    " embedding: 16}}",
    "babe2.training.steps=4",
    "babe2.training.batch_size=2",
    "babe2.training.validate_every=2",
    "babe2.evaluation.tracks=2",
    "babe2.evaluation.steps=2",
    "babe2.evaluation.resamples=100",
    "babe2.stimuli.tracks=1",
    "babe2.stimuli.seconds=1",
    "inpainting.networks={UNet_Sun: {width: 0.25},"
    " line: {network: Res_UNet_v2, width: 0.03125, input: interpolated}}",
    "inpainting.training.steps=4",
    "inpainting.training.batch_size=2",
    "inpainting.training.validate_every=2",
    "inpainting.evaluation.resamples=100",
    "inpainting.evaluation.waveform.gap_ms=[20]",
    "inpainting.evaluation.waveform.tracks=1",
    "inpainting.evaluation.waveform.seconds=1",
    "inpainting.evaluation.waveform.iterations=2",
    "inpainting.stimuli.tracks=1",
    "inpainting.stimuli.seconds=1",
    "denoiser.segment_seconds=1",
    "denoiser.networks={unet_22k: {width: 0.03125, depth: 2, num_tfc: 1, input: classical}}",
    "denoiser.training.steps=4",
    "denoiser.training.batch_size=2",
    "denoiser.training.seen_seconds=0.5",
    "denoiser.training.validate_every=2",
    "denoiser.evaluation.snr_db=[6]",
    "denoiser.evaluation.seconds=2",
    "denoiser.evaluation.lead_seconds=1",
    "denoiser.evaluation.resamples=100",
    "denoiser.stimuli.tracks=1",
    "denoiser.stimuli.seconds=1",
    "behm_gan.networks={gan: {network: unet, width: 0.03125, depth: 2},"
    " seanet: {width: 0.03125, adversary: false}}",
    "behm_gan.segment_seconds=0.2",
    "behm_gan.training.steps=4",
    "behm_gan.training.batch_size=2",
    "behm_gan.training.validate_every=2",
    "behm_gan.training.validation_segments=2",
    "behm_gan.training.adversary.from_step=2",
    "behm_gan.training.adversary.width=0.03125",
    "behm_gan.evaluation.low_pass=[repository, sinc]",
    "behm_gan.evaluation.seconds=1",
    "behm_gan.evaluation.resamples=100",
    "behm_gan.stimuli.tracks=1",
    "behm_gan.stimuli.seconds=1",
]


@pytest.fixture(scope="session")
def sources(tmp_path_factory):
    """A copy of the repository's sources that is no git repository."""
    target = tmp_path_factory.mktemp("archive") / "shellac"
    target.mkdir()
    copy_sources(target)
    return target


@pytest.fixture(scope="session")
def clone(sources, tmp_path_factory):
    """A git clone of the sources, with a toy profile, after one `dvc repro`."""
    git = ["git", "-c", "user.name=test", "-c", "user.email=test@example.org"]
    origin = tmp_path_factory.mktemp("origin") / "shellac"
    shutil.copytree(sources, origin)
    run(origin, "git", "init", "-q")
    run(origin, "git", "add", "-A")
    run(origin, *git, "commit", "-qm", "sources")
    target = tmp_path_factory.mktemp("clone") / "shellac"
    run(origin, "git", "clone", "-q", str(origin), str(target))
    run(target, "shellac", "profile", "demo", "--set", *TOY)
    run(target, "dvc", "repro")
    return target
