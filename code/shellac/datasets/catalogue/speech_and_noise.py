"""Speech and record noise: VCTK in both its layouts, the Gramophone Record Noise Dataset."""

from shellac.datasets.catalogue.entry import DataSet, RemoteFile

_PATH = "/bitstream/handle/10283/3443/VCTK-Corpus-0.92.zip"
_SPLITS = (
    "published by olvrhhn/audio_super_resolution: of p225 alone (`data.select.vctk=[p225]`) the"
    " utterances 355 to 359, 363, 365 and 366 validate (and, as published, test) and the others"
    " train; of several speakers p347, p351, p360 to p364, p374 and p376 validate"
)

VCTK = DataSet(
    name="vctk",
    title="VCTK corpus 0.92",
    summary="read English sentences by 110 speakers",
    size="11.7 GB, 48 kHz FLAC, two microphones",
    licence="CC BY 4.0",
    citation="Yamagishi, Veaux, MacDonald, CSTR VCTK Corpus (version 0.92), University of"
    " Edinburgh, 2019",
    layout="vctk",
    arrangement="`wav48_silence_trimmed/pNNN/pNNN_NNN_mic1.flac`; the older 0.80, which is accepted"
    " as a local copy, has `wav48/pNNN/pNNN_NNN.wav`",
    splits=_SPLITS,
    notes="the published lists are written for 0.80: pNNN_NNN is taken to be mic1, whose silence"
    " was trimmed, so that lengths and the number of patches differ; p315 has no text and some of"
    " p362 no audio",
    files=(
        RemoteFile(
            "VCTK-Corpus-0.92.zip",
            (
                "https://datashare.ed.ac.uk" + _PATH,
                "https://datashare.is.ed.ac.uk" + _PATH,
            ),
            {
                "sha256": "f96258be9fdc2cbff6559541aae7ea4f59df3fcaf5cf963aae5ca647357e359c",
                "md5": "8a6ba2946b36fcbef0212cad601f4bfa",
            },
            11_747_302_977,
        ),
    ),
)

GRAMOPHONE_NOISE = DataSet(
    name="gramophone-noise",
    title="Gramophone Record Noise Dataset",
    summary="noise without music, cut from 78 rpm discs of the Internet Archive",
    size="unknown; a third party counts 2427 files",
    licence="",
    citation="Moliner, Valimaki, A Two-Stage U-Net for High-Fidelity Denoising of Historical"
    " Recordings, ICASSP 2022",
    layout="gramophone_noise",
    arrangement="`info.csv` (recording, segments, largest_segment, split), one folder a recording;"
    " 44.1 kHz, two channels",
    splits="published, in the table, by recording",
    notes="the hash was seen in one third-party script only",
    files=(
        RemoteFile(
            "Gramophone_Record_Noise_Dataset.zip",
            (
                "http://research.spa.aalto.fi/publications/papers/icassp22-denoising/media/"
                "datasets/Gramophone_Record_Noise_Dataset.zip",
            ),
            {"sha256": "b97a78a4da7ed7e05a7b10db31cbcab37ffe927d14e1c1c6948f55da0b720a2c"},
            most_bytes=20_000_000_000,
        ),
    ),
)

ENTRIES = (VCTK, GRAMOPHONE_NOISE)
