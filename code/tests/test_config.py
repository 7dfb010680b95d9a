"""params.yaml: strict reading, and profiles that state only their differences."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from shellac import config, paths
from shellac.errors import ConfigError

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A repository root of its own, with the real profiles and params.yaml."""
    shutil.copytree(REPOSITORY / "code" / "profiles", tmp_path / "code" / "profiles")
    shutil.copy(REPOSITORY / "params.yaml", tmp_path)
    (tmp_path / "data" / "own").mkdir(parents=True)
    (tmp_path / "dvc.yaml").touch()
    monkeypatch.setenv("SHELLAC_ROOT", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_committed_params_are_the_demo_profile(root):
    # the working copy may stand at another profile: that is what profiles are for
    show = ["git", "-C", str(REPOSITORY), "show", "HEAD:params.yaml"]
    committed = subprocess.run(show, capture_output=True, text=True, check=False)
    if committed.returncode:
        pytest.skip("needs the git history, which an unpacked archive has not")
    config.apply_profile("demo")
    assert (root / "params.yaml").read_text() == committed.stdout


def test_every_profile_is_valid_and_keeps_its_comments(root):
    for name in config.profile_names():
        settings = config.apply_profile(name)
        assert settings.profile == name
        assert config.load() == settings
        assert "# part of the result" in paths.params().read_text()


def test_profiles_state_only_differences(root):
    base = yaml.safe_load((paths.profiles() / "demo.yaml").read_text())

    def repeated(tree, base, path=""):
        for key, value in tree.items():
            if key in config._REPLACED:  # stated whole
                continue
            if isinstance(value, dict):
                yield from repeated(value, base.get(key, {}), f"{path}{key}.")
            elif base.get(key) == value:
                yield path + key

    for file in paths.profiles().glob("*.yaml"):
        if file.stem != "demo":
            assert not list(repeated(yaml.safe_load(file.read_text()), base))


def test_set_changes_single_values_with_their_types(root):
    settings = config.apply_profile(
        "demo",
        [
            "seed=7",
            "superres.training.steps=3",
            "superres.roles=[piano, music]",
            "superres.training.learning_rate=1e-5",
        ],
    )
    assert settings.seed == 7
    assert settings.systems["superres"].training.steps == 3
    assert config.load().systems["superres"].training.learning_rate == 1e-5
    assert settings.systems["superres"].roles == ["piano", "music"]


def test_mappings_of_the_users_own_names_take_new_ones(root):
    (root / "copies").mkdir()
    settings = config.apply_profile(
        "full",
        ["data.local.gtzan=copies", "data.select.vctk=[p226]", "data.select.fma-small=[Rock]",
         f"data.checksums={{a.zip: 'md5:{'0' * 32}'}}"],
    )  # fmt: skip
    assert settings.data.local == {"gtzan": "copies"}
    assert settings.data.select == {"vctk": ["p226"], "gtzan": ["blues"], "fma-small": ["Rock"]}
    with pytest.raises(ConfigError, match="data.local.gtzan: there is no folder elsewhere"):
        config.apply_profile("full", ["data.local.gtzan=elsewhere"])


def test_folder_is_kept_relative_to_the_root(root, monkeypatch):
    (root / "mine").mkdir()
    (root / "notebooks").mkdir()
    monkeypatch.chdir(root / "notebooks")
    assert config.apply_profile("folder", ["data.folder=../mine"]).data.folder == "mine"
    absolute = str(root / "mine")
    assert config.apply_profile("folder", [f"data.folder={absolute}"]).data.folder == absolute


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("superres.training.stepps=3", "no key superres.training.stepps"),
        ("superres.training.steps=many", "superres.training.steps"),
        ("superres.training.steps=0", "steps"),
        ("superres.training.steps", "KEY=VALUE"),
        ("seed=1.5", "seed"),
        ("seed={", "YAML"),
        ("data.folder=nowhere", "no folder nowhere"),
        ("superres.roles=[noise]", "superres.roles"),
        ("compute.device=tpu", "device"),
        ("data.mirror=ftp://example.org", "data.mirror"),
        ("data.checksums={a.zip: '1234'}", "data.checksums"),
    ],
)
def test_bad_change_is_one_line_and_writes_nothing(root, change, told):
    before = (root / "params.yaml").read_bytes()
    with pytest.raises(ConfigError, match=told) as refused:
        config.apply_profile("demo", [change])
    assert "\n" not in str(refused.value)
    assert (root / "params.yaml").read_bytes() == before


def test_unknown_profile_names_those_there_are(root):
    with pytest.raises(ConfigError, match="demo.*folder"):
        config.apply_profile("dmeo")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("- 1\n- 2\n", "not a mapping"),
        ("a: [1", "not readable as YAML"),
        ("profile: demo\n", "seed"),
        ("bogus: 1\n", "unknown key bogus"),
    ],
)
def test_broken_params_are_told_in_one_line(root, text, told):
    (root / "params.yaml").write_text(text)
    with pytest.raises(ConfigError, match=told) as refused:
        config.load()
    assert "\n" not in str(refused.value)


def test_a_profile_repairs_params_that_are_no_text(root):
    (root / "params.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not readable"):
        config.load()
    assert config.apply_profile("demo") == config.load()


def test_missing_params_are_told(root):
    (root / "params.yaml").unlink()
    with pytest.raises(ConfigError, match="no such file"):
        config.load()
