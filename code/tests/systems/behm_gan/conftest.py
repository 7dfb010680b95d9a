"""A folder corpus with fragments of bandwidth extension, and tiny networks."""

import pytest

from shellac import config
from shellac.datasets import corpora
from shellac.systems.behm_gan import fragments

TINY = (
    "data.folder=mine", "compute.threads=1", "behm_gan.roles=[speech]",
    "behm_gan.segment_seconds=0.2", "behm_gan.training.batch_size=2", "behm_gan.training.steps=2",
    "behm_gan.training.validate_every=1", "behm_gan.training.validation_segments=3",
    "behm_gan.training.adversary.from_step=1", "behm_gan.training.adversary.width=0.03125",
    "behm_gan.networks={gan: {network: unet, width: 0.03125, depth: 2},"
    " quiet: {network: unet, width: 0.03125, depth: 2, adversary: false, noise: false},"
    " audiounet: {width: 0.03125}, seanet: {width: 0.03125, adversary: false, loss: mse}}",
)  # fmt: skip


@pytest.fixture
def prepared(folder_root):
    """Settings of the folder profile with changes, after download and fragments."""

    def prepare(*changes):
        settings = config.apply_profile("folder", [*TINY, *changes])
        corpora.obtain(settings, "folder")
        fragments.build(settings)
        return settings

    return prepare
