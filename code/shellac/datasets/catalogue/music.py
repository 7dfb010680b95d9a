"""Piano and chamber music: MAESTRO, MusicNet, GTZAN, the Beethoven sonatas of SampleRNN."""

from shellac.datasets.catalogue.entry import DataSet, RemoteFile

_MAGENTA = "https://storage.googleapis.com/magentadata/datasets/maestro/v3.0.0/"
_ZENODO = "https://zenodo.org/records/5120004/files/"
_SONATAS = (
    *(f"BeethovenPianoSonataNo.{number}" for number in range(1, 13)),
    "BeethovenPianoSonata13", "BeethovenPianoSonataNo.14moonlight", "BeethovenPianoSonata15",
    "BeethovenPianoSonata16", "BeethovenPianoSonata17", "BeethovenPianoSonataNo.18",
    "BeethovenPianoSonataNo.19", "BeethovenPianoSonataNo.20",
    "BeethovenPianoSonataNo.21Waldstein", "BeethovenPianoSonata22",
    *(f"BeethovenPianoSonataNo.{number}" for number in range(23, 33)),
)  # fmt: skip

MAESTRO = DataSet(
    name="maestro",
    title="MAESTRO v3.0.0",
    summary="piano performances of the International Piano-e-Competition, audio and MIDI",
    size="1276 performances, 198.7 h; the archive 101 GB, unpacked 120 GB",
    licence="CC BY-NC-SA 4.0",
    citation="Hawthorne et al., Enabling Factorized Piano Music Modeling and Generation with the"
    " MAESTRO Dataset, ICLR 2019",
    layout="maestro",
    arrangement="`maestro-v3.0.0/YEAR/*.wav` (44.1 or 48 kHz, 16 bit, stereo) and a table"
    " `maestro-v3.0.0.csv`",
    splits="published, in the table: 962 train, 137 validation, 177 test; no composition spans two",
    notes="one archive: for a single year give a local copy (`data.local.maestro`) and"
    ' `data.select.maestro=["2018"]`; BABE-2 trains on all ten years',
    files=(
        RemoteFile(
            "maestro-v3.0.0.zip",
            (_MAGENTA + "maestro-v3.0.0.zip",),
            {"sha256": "6680fea5be2339ea15091a249fbd70e49551246ddbd5ca50f1b2352c08c95291"},
            most_bytes=130_000_000_000,
        ),
    ),
)

MUSICNET = DataSet(
    name="musicnet",
    title="MusicNet",
    summary="classical chamber music and solo pieces with note labels",
    size="330 recordings; the archive 11.1 GB",
    licence="CC BY 4.0",
    citation="Thickstun, Harchaoui, Kakade, Learning Features of Music from Scratch, ICLR 2017",
    layout="musicnet",
    arrangement="`musicnet/train_data/ID.wav`, `musicnet/test_data/ID.wav` (44.1 kHz, mono);"
    " `musicnet_metadata.csv` names composer, composition and ensemble of each id",
    splits="published: 320 train, 10 test; validation, of which there is none, is drawn from train"
    " by composition",
    notes="`data.select.musicnet` takes ensembles by name, or `piano` and `strings`, the subsets"
    " of BEHM-GAN; which recordings its authors added to them is not published",
    files=(
        RemoteFile(
            "musicnet.tar.gz",
            (_ZENODO + "musicnet.tar.gz",),
            {"md5": "844764911fa0d5b97c97da944a057590"},
            11_097_394_998,
        ),
        RemoteFile(
            "musicnet_metadata.csv",
            (_ZENODO + "musicnet_metadata.csv",),
            {"md5": "1caef62cee9c875235e62aac368b49d8"},
            43_775,
        ),
    ),
)

GTZAN = DataSet(
    name="gtzan",
    title="GTZAN genre collection",
    summary="clips of 30 s, ten genres of 100",
    size="1000 clips, 22 050 Hz, mono, 16 bit; about 1.2 GB (unverified)",
    licence="",
    citation="Tzanetakis, Cook, Musical Genre Classification of Audio Signals, IEEE Transactions on"
    " Speech and Audio Processing 10(5), 2002",
    layout="gtzan",
    arrangement="`genres/GENRE/GENRE.NNNNN.au`; the Kaggle copy has"
    " `Data/genres_original/GENRE/GENRE.NNNNN.wav`",
    splits="published for blues by olvrhhn/audio_super_resolution, by number, and applied to every"
    " genre: 20 of 100 validate (and, as published, test), 80 train",
    notes="the collection repeats and mislabels some clips; unreadable ones (jazz.00054 in the"
    " Kaggle copy) are left out and listed",
    files=(
        RemoteFile(
            "genres.tar.gz",
            (
                "http://opihi.cs.uvic.ca/sound/genres.tar.gz",
                "https://huggingface.co/datasets/marsyas/gtzan/resolve/main/data/genres.tar.gz",
            ),
            {"md5": "5b3d6dddb579ab49814ab86dba69e7c7"},
            most_bytes=2_000_000_000,
        ),
    ),
)

BEETHOVEN = DataSet(
    name="beethoven",
    title="Beethoven piano sonatas, by sonata",
    summary="the 32 sonatas from which SampleRNN made its arrays, as the Internet Archive has them",
    size="32 items, about 10 h (the paper)",
    licence="that of each Internet Archive item, noted with every recording",
    citation="Mehri et al., SampleRNN: An Unconditional End-to-End Neural Audio Generation Model,"
    " ICLR 2017 (the list of items)",
    layout="beethoven",
    arrangement="one folder an item, with its Ogg Vorbis files",
    splits="drawn by sonata, which no published arrays are; shares under `data.splits`",
    notes="the default for new trainings: train, validation and test share no sound",
    items=_SONATAS,
)

BEETHOVEN_PUBLISHED = DataSet(
    name="beethoven-published",
    title="Beethoven piano sonatas, the published arrays",
    summary="the arrays that olvrhhn/audio_super_resolution trains on: 8 s excerpts at 16 kHz",
    size="validation 256 rows, test 256 rows, train the rest; 128 000 samples each, float16",
    licence="",
    citation="Mehri et al., SampleRNN: An Unconditional End-to-End Neural Audio Generation Model,"
    " ICLR 2017",
    layout="beethoven_arrays",
    arrangement="`music_train.npy`, `music_valid.npy`, `music_test.npy`, a row an excerpt",
    splits="as published, by array",
    notes="for parity only: SampleRNN's script cuts excerpt i at second i, so that excerpts overlap"
    " by 7 s and the three arrays may share sound; name the corpus beside any score",
    files=tuple(
        RemoteFile(f"music_{split}.npy", (), most_bytes=8_000_000_000)
        for split in ("train", "valid", "test")
    ),
    by_hand="download the three files from the Google Drive folder that the README of"
    " olvrhhn/audio_super_resolution links, and set `data.local.beethoven-published=FOLDER`",
)

ENTRIES = (MAESTRO, MUSICNET, GTZAN, BEETHOVEN, BEETHOVEN_PUBLISHED)
