"""Singing: VocalSet, and the corpora of BABE-2's pre-training, which no program can fetch."""

from shellac.datasets.catalogue.entry import DataSet, RemoteFile

VOCALSET = DataSet(
    name="vocalset",
    title="VocalSet 1.1",
    summary="20 singers, 17 techniques, scales, arpeggios, long tones and excerpts, unaccompanied",
    size="10.1 h, 44.1 kHz; 2.1 GB",
    licence="CC BY 4.0",
    citation="Wilkins, Seetharaman, Wahl, Pardo, VocalSet: A Singing Voice Dataset, ISMIR 2018",
    layout="vocalset",
    arrangement="`FULL/SINGER/CONTEXT/TECHNIQUE/*.wav`, singers female1 to 9, male1 to 11; lists of"
    " singers for training and test",
    splits="published, by singer, where the archive holds its lists, validation drawn from the"
    " training singers; of one singer (BABE-2: female1, female5, male2, male11) drawn by file",
    files=(
        RemoteFile(
            "VocalSet11.zip",
            ("https://zenodo.org/records/1442513/files/VocalSet11.zip",),
            {
                "md5": "0c09396242f946e7111ad7d8fc649b81",
                "sha256": "df3dbe37b3dd840dce4bf7a4d2545d36daf38abc63a368f0e2003764aa7fa124",
            },
            2_077_243_579,
        ),
    ),
)


def _by_hand(name: str, title: str, summary: str, where: str, citation: str) -> DataSet:
    return DataSet(
        name=name,
        title=title,
        summary=summary,
        licence="",
        citation=citation,
        layout="singing",
        arrangement="any: every audio file below the folder, its first sub-folder being the label",
        splits="drawn by the folder that holds a file; shares under `data.splits`",
        by_hand=f"{where}; then set `data.local.{name}=FOLDER`",
    )


ENTRIES = (
    VOCALSET,
    _by_hand(
        "opensinger", "OpenSinger", "Mandarin singing, many singers",
        "ask for it as github.com/multi-singer/multi-singer.github.io describes",
        "Huang et al., Multi-Singer: Fast Multi-Singer Singing Voice Vocoder With A Large-Scale"
        " Corpus, ACM Multimedia 2021",
    ),
    _by_hand(
        "opencpop", "Opencpop", "100 Mandarin songs by one singer, 44.1 kHz",
        "ask for access as github.com/wenet-e2e/opencpop describes",
        "Wang et al., Opencpop: A High-Quality Open Source Chinese Popular Song Corpus for Singing"
        " Voice Synthesis, Interspeech 2022",
    ),
    _by_hand(
        "m4singer", "M4Singer", "Mandarin singing, 20 singers of four voice types",
        "ask for it as github.com/M4Singer/M4Singer describes",
        "Zhang et al., M4Singer: A Multi-Style, Multi-Singer and Musical Score Provided Mandarin"
        " Singing Corpus, NeurIPS 2022",
    ),
    _by_hand(
        "nus-48e", "NUS-48E", "48 English songs, sung and spoken, by 12 singers",
        "ask its authors at the National University of Singapore",
        "Duan et al., The NUS Sung and Spoken Lyrics Corpus, APSIPA 2013",
    ),
    _by_hand(
        "csd", "Children's Song Dataset", "50 Korean and 50 English children's songs, one singer",
        "download it from its Zenodo record (search for Children's Song Dataset)",
        "Choi et al., Children's Song Dataset for Singing Voice Research, ISMIR 2020",
    ),
    _by_hand(
        "pjs", "PJS", "phoneme-balanced Japanese singing, 100 short songs by one singer",
        "download it from its authors' page (search for PJS corpus)",
        "Koguchi, Takamichi, Morise, PJS: Phoneme-balanced Japanese Singing-voice Corpus, 2020",
    ),
)  # fmt: skip
