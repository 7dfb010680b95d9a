"""Half a second of every recording."""

import numpy as np

from shellac import paths
from shellac.datasets import corpora
from shellac.datasets.mono import mono_at
from shellac.files import atomic_folder


def build(settings):
    """Write one array."""
    task = settings.systems["gain"]
    found = corpora.recordings(settings, task.roles, "train", task.corpora)
    rows = [mono_at(each, 8000)[:4000] for each in found]
    with atomic_folder(paths.fragments(settings.profile, "gain")) as folder:
        np.save(folder / "train.npy", np.stack(rows))
