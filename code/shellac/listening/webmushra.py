"""The same test for webMUSHRA (audiolabs), for laboratories that run its server."""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from shellac.files import atomic_path
from shellac.listening.excerpts import MUSHRA


def export(folder: Path, key: dict[str, Any]) -> Path:
    """Write ``shellac.yaml`` beside ``stimuli/``; both go into webMUSHRA's ``configs``.

    Stimuli keep their opaque names. Trials with a reference become pages of type ``mushra`` whose
    anchors are ours, not the server's; webMUSHRA asks for a reference on every such page, so
    trials without one are given the untreated transfer as it.
    """
    pages = [_page(name, trial) for name, trial in sorted(key["trials"].items())]
    tree = {
        "testname": key["title"],
        "testId": key["test"][:16],
        "bufferSize": 2048,
        "stopOnErrors": True,
        "showButtonPreviousPage": False,
        "remoteService": "service/write.php",
        "pages": [
            {
                "type": "volume",
                "id": "volume",
                "name": "Volume",
                "content": "Put on headphones and set a comfortable volume. Do not change it"
                " afterwards.",
                "stimulus": pages[0]["reference"],
                "defaultVolume": 0.5,
            },
            ["random", *pages],
            {
                "type": "finish",
                "name": "Thank you",
                "content": "The test is complete.",
                "showResults": False,
                "writeResults": True,
            },
        ],
    }
    place = folder / "shellac.yaml"
    writer = YAML()
    writer.default_flow_style = False
    with atomic_path(place) as temporary, temporary.open("w", encoding="utf-8") as file:
        writer.dump(tree, file)
    return place


def _page(name: str, trial: dict[str, Any]) -> dict[str, Any]:
    opened = trial.get("open_reference") or trial["labelled"]
    reference_given = trial["method"] == MUSHRA
    hidden = [
        file
        for file in sorted(trial["stimuli"])
        # webMUSHRA adds the reference as a hidden condition by itself, under the name "reference"
        if trial["stimuli"][file]["condition"] != trial["stimuli"][opened]["condition"]
    ]
    ask = "how close is each to the reference?" if reference_given else "how good does each sound?"
    return {
        "type": "mushra",
        "id": name,
        "name": "Comparison",
        "content": f"Rate every version: {ask}",
        "showWaveform": True,
        "enableLooping": True,
        "strict": reference_given,
        "reference": _wav(opened),
        "createAnchor35": False,
        "createAnchor70": False,
        "randomize": True,
        "showConditionNames": False,
        "switchBack": False,
        "stimuli": {file: _wav(file) for file in hidden},
    }


def _wav(name: str) -> str:
    return f"configs/stimuli/{name}.wav"
