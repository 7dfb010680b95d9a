"""The picture and the sound at the top of the README: ``python code/benchmarks/front_page.py``.

What the quick start does to its synthesised piece: made an old disc, then restored by the classical
chain. Writes ``disc.png`` and ``disc.ogg`` to ``results/reference``, which are in git.
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # the same sums on any number of cores

import numpy as np
from PIL import Image

import shellac
from shellac import audio, paths
from shellac.datasets.synthesis.piano import piano_piece
from shellac.degradations.recipes import RECIPES
from shellac.files import atomic_path
from shellac.listening.loudness import common_gains
from shellac.report import pictures
from shellac.transforms.resampling import resample

_SEED, _SECONDS, _RATE = 1, 6, 44100
_HEARD_RATE = 24000  # of the sound, which is to be small
_PAUSE_SECONDS = 0.5
_RESOLUTION, _COLOURS = 100, 64  # dots per inch; a picture of full colour is three times as large


def main() -> None:
    """Make both files."""
    piece = np.atleast_2d(piano_piece(_SEED, _SECONDS, _RATE)).astype(np.float32)
    disc, _ = RECIPES["gramophone"](piece, _RATE, np.random.default_rng(_SEED))
    restored = shellac.load("classical").restore(disc, _RATE).waveform
    versions = {"An old disc (synthesised)": disc.mean(axis=0), "Restored": restored.mean(axis=0)}
    folder = paths.results("reference")
    levels = {name: pictures.measure(x[None], _RATE) for name, x in versions.items()}
    figure = pictures.spectrograms(levels, _SECONDS, "")
    with atomic_path(folder / "disc.png") as temporary:
        figure.savefig(temporary, dpi=_RESOLUTION, metadata={"Software": None})
        Image.open(temporary).convert("RGB").quantize(_COLOURS).save(temporary, optimize=True)
    mono = [x[None] for x in versions.values()]
    gains, _ = common_gains(mono, _RATE)
    pause = np.zeros((1, round(_PAUSE_SECONDS * _RATE)), np.float32)
    before, after = (np.float32(gain) * x for gain, x in zip(gains, mono, strict=True))
    sound = resample(np.concatenate((before, pause, after), axis=1), _RATE, _HEARD_RATE)
    audio.write(folder / "disc.ogg", sound, _HEARD_RATE, subtype="VORBIS")


if __name__ == "__main__":
    main()
