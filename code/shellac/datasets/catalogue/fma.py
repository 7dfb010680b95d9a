"""The Free Music Archive's data set, in the sizes that are used."""

from shellac.datasets.catalogue.entry import DataSet, RemoteFile

_SITE = "https://os.unil.cloud.switch.ch/fma/"
_CITATION = "Defferrard et al., FMA: A Dataset for Music Analysis, ISMIR 2017"
_LICENCE = "per track, Creative Commons (in the index); metadata CC BY 4.0 (unverified)"
_METADATA = RemoteFile(
    "fma_metadata.zip",
    (_SITE + "fma_metadata.zip",),
    {"sha1": "f0df49ffe5f2a6008d7dc83c6915b31835dfe733"},
    most_bytes=500_000_000,
)
_SMALL = RemoteFile(
    "fma_small.zip",
    (_SITE + "fma_small.zip",),
    {"sha1": "ade154f733639d52e35e32f5593efe5be76c6d70"},
    most_bytes=9_000_000_000,
)
_MEDIUM = RemoteFile(
    "fma_medium.zip",
    (_SITE + "fma_medium.zip",),
    {"sha1": "c67b69ea232021025fca9231fc1c7c1a063ab50b"},
    most_bytes=28_000_000_000,
)
_ARRANGEMENT = "`{0}/NNN/NNNNNN.mp3` (folder: first three digits) and `fma_metadata/tracks.csv`"

SMALL = DataSet(
    name="fma-small",
    title="FMA small",
    summary="clips of 30 s from the middle of tracks, 8 genres of 1000",
    size="8000 clips, MP3; 7.2 GiB",
    licence=_LICENCE,
    citation=_CITATION,
    layout="fma",
    arrangement=_ARRANGEMENT.format("fma_small"),
    splits="published, in `tracks.csv`; no artist spans two",
    notes="a few clips are damaged, which are left out and listed, or short, which stay",
    files=(_SMALL, _METADATA),
    folder="fma",
)

MEDIUM = DataSet(
    name="fma-medium",
    title="FMA medium",
    summary="clips of 30 s, 16 genres, unbalanced; holds FMA small",
    size="25 000 clips, MP3; 22 GiB",
    licence=_LICENCE,
    citation=_CITATION,
    layout="fma",
    arrangement=_ARRANGEMENT.format("fma_medium"),
    splits="published, in `tracks.csv`; no artist spans two",
    notes="a few clips are damaged, which are left out and listed, or short, which stay",
    files=(_MEDIUM, _METADATA),
    folder="fma",
)

INPAINTING = DataSet(
    name="fma-inpainting",
    title="FMA, the selection for spectrogram inpainting",
    summary="train and validation from FMA small, test from the rest of FMA medium",
    size="13 583 of the 25 000 clips: 6400 train, 1600 validation, 5583 test",
    licence=_LICENCE,
    citation=_CITATION + "; selection: TeleMidia/audio_reconstruction, WebMedia 2021",
    layout="fma_inpainting",
    arrangement=_ARRANGEMENT.format("fma_medium"),
    splits="the published counts by genre; the lists are not published, so the tracks are drawn"
    " from `seed` and recorded in the index",
    notes="artists may span train and test, as published: compare with `fma-medium`",
    files=(_MEDIUM, _METADATA),
    folder="fma",
)


def _larger(size: str, summary: str, amount: str, sha1: str, most_bytes: int) -> DataSet:
    name = f"fma_{size}"
    archive = RemoteFile(f"{name}.zip", (f"{_SITE}{name}.zip",), {"sha1": sha1}, None, most_bytes)
    return DataSet(
        name=f"fma-{size}",
        title=f"FMA {size}",
        summary=summary,
        size=amount,
        licence=_LICENCE,
        citation=_CITATION,
        layout="fma",
        arrangement=_ARRANGEMENT.format(name),
        splits="published, in `tracks.csv`; no artist spans two",
        files=(archive, _METADATA),
        folder="fma",
    )


LARGE = _larger(
    "large",
    "clips of 30 s, 161 genres, unbalanced",
    "106 574 clips, MP3; 93 GiB",
    "497109f4dd721066b5ce5e5f250ec604dc78939e",
    110_000_000_000,
)
FULL = _larger(
    "full",
    "whole tracks, 161 genres, unbalanced",
    "106 574 tracks, MP3; 879 GiB",
    "0f0ace23fbe9ba30ecb7e95f763e435ea802b8ab",
    1_000_000_000_000,
)

ENTRIES = (SMALL, MEDIUM, INPAINTING, LARGE, FULL)
