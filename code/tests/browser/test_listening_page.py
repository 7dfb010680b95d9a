"""The listening test in a real browser: heard, driven by keys alone, resumed, downloaded."""

import functools
import http.server
import json
import threading

import pandas as pd
import pytest
from listening_results import PITCHES_HZ, RESTORED_HZ, UNTREATED_HZ, build, make_root
from webdriver import chromium, wait_for

from shellac.cli import main

pytestmark = pytest.mark.browser
PRACTICE_PAGES = 2  # one of each method
TRIALS = 3
TRAINING = 2  # steps before the first practice page: consent, checks
TOLERANCE_HZ = 15
CONTROLS = {"button", "slider", "checkbox", "radio", "textbox"}
OPINIONS = {"spline": 40, "tfilm": 60, "anchor_3500_hz": 10, "anchor_7000_hz": 30,
            "untreated": 35, "superres": 75}  # fmt: skip

# what is heard, by spectrum: the frequency of the strongest bin
HEARD_HZ = """(() => {
  const { tap, context } = shellac.player;
  const levels = new Float32Array(tap.frequencyBinCount);
  tap.getFloatFrequencyData(levels);
  const strongest = levels.indexOf(Math.max(...levels));
  return levels[strongest] > -60 ? strongest * context.sampleRate / tap.fftSize : 0;
})()"""
READY = "document.querySelector('#play')?.disabled === false"
# rates every trial by opinions (stimulus: score), through the controls that a listener has
ASSESSOR = """
  const [opinions] = args;
  const all = (selector) => [...document.querySelectorAll(selector)];
  const until = (holds) => new Promise((resolve) => {
    const look = () => (holds() ? resolve() : setTimeout(look, 5));
    look();
  });
  await until(() => all('#agree')[0]);
  all('#agree')[0].click();
  all('button.primary')[0].click();
  await until(() => all('#sample')[0]);
  all('#sample')[0].click();
  await until(() => shellac.player.playing);
  all('input[value=second]').forEach((radio) => radio.click());
  all('button.primary')[0].click();
  await until(() => shellac.session?.state?.trials);
  const trials = shellac.session.state.trials;
  for (let page = -shellac.session.training().length; page < trials.length; page += 1) {
    await until(() => all('#play')[0]?.disabled === false);
    all('#play')[0].click();
    all('.row').forEach((row, place) => {
      row.querySelector('button').click();
      if (page < 0) return;
      const slider = row.querySelector('input');
      slider.value = opinions[trials[page].order[place]];
      slider.dispatchEvent(new Event('input'));
    });
    const shown = all('section')[0];
    all('#next')[0].click();
    if (shown.isConnected) throw new Error(all('.message')[0].textContent);
  }
  all('.downloads button').forEach((button) => button.click());
"""


@pytest.fixture(scope="module")
def window(tmp_path_factory):
    """One browser for all tests; each opens its own page in it."""
    with chromium(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.fixture(scope="module")
def test(tmp_path_factory):
    """The folder of a test of three trials, and its key."""
    root = tmp_path_factory.mktemp("compendium")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHELLAC_ROOT", str(root))
        make_root(root)
        yield root / "test", build(root / "test")


def address(folder, seed):
    return f"{(folder / 'page' / 'index.html').as_uri()}?seed={seed}"


def conditions(key):
    return {name: told["condition"] for trial in key["trials"].values()
            for name, told in trial["stimuli"].items()}  # fmt: skip


def go_to_trial(window, number):
    """Put the page at a trial, as if the listener had come so far, and reload it."""
    step = TRAINING + PRACTICE_PAGES + number
    window.run(f"shellac.session.state.step = {step}; shellac.session.save();"
                " location.reload()")  # fmt: skip
    window.wait(f"{READY} && shellac.session.state.step === {step}")


def go_to_step(window, step):
    """Put the page at any step, everything rated, and reload it."""
    window.run(
        "const { session } = shellac;"
        "session.state.trials.forEach(({ order, ratings }) => order.forEach((name) =>"
        " (ratings[name] = { score: 1, milliseconds: 1 })));"
        "session.state.step = arguments[0]; session.save(); location.reload()",
        step,
    )
    window.wait(
        "window.shellac?.session?.state.step === arguments[0]"
        " && document.querySelector('h1') && !document.querySelector('#play:disabled')",
        step,
    )


def number_of(window, key, method):
    """Where the first trial of a method comes in this listener's order."""
    order = window.run("return shellac.session.state.trials.map((each) => each.trial)")
    return next(
        place for place, name in enumerate(order) if key["trials"][name]["method"] == method
    )


def order_heard(window, key, number):
    """Conditions in the order of the rows."""
    names = window.run(f"return shellac.session.state.trials[{number}].order")
    return [conditions(key)[name] for name in names]


def hear(window, pitch_hz):
    window.wait(f"Math.abs({HEARD_HZ} - {pitch_hz}) < {TOLERANCE_HZ}")


def tab_to(window, selector):
    """Press Tab until the focus is on what the selector names."""
    for _ in range(40):
        window.press("tab")
        if window.run("return document.activeElement.matches(arguments[0])", selector):
            return
    raise AssertionError(f"no way to {selector} by Tab")


def test_every_key_lets_its_version_be_heard_at_once(window, test):
    folder, key = test
    window.open(address(folder, 1))
    number = number_of(window, key, "BS.1534-3")
    go_to_trial(window, number)
    window.press("space")
    window.wait("shellac.player.playing")
    started = window.run("return shellac.player.startedAt")
    order = order_heard(window, key, number)
    for place, condition in enumerate(order):
        window.press(str(place + 1))
        if condition in ("spline", "tfilm"):
            hear(window, PITCHES_HZ[condition])
    window.press(str(order.index("tfilm") + 1))
    hear(window, PITCHES_HZ["tfilm"])
    # switching is seamless: nothing was started again, and only one version is open
    assert window.run("return shellac.player.startedAt") == started
    gains = "[...shellac.player.voices.values()].map((voice) => voice.gain.gain.value)"
    window.wait(f"{gains}.filter((gain) => gain === 1).length === 1"
                 f" && {gains}.filter((gain) => gain === 0).length === {len(order)}")  # fmt: skip
    window.press("space")
    window.wait(f"!shellac.player.playing && {HEARD_HZ} === 0")
    assert window.complaints() == []


def test_the_crossfade_neither_clicks_nor_drops(window, test):
    folder, key = test
    window.open(address(folder, 1))
    # the page's own player, its output rendered instead of heard: two equal tones, switched
    samples = window.run_async("""
      const rate = shellac.Player.rate;
      const player = new shellac.Player();
      const tone = new AudioBuffer({ length: rate, numberOfChannels: 1, sampleRate: rate });
      tone.getChannelData(0).forEach((_, index, all) =>
        (all[index] = 0.5 * Math.sin(2 * Math.PI * 440 * index / rate)));
      player.buffers = new Map([['a', tone], ['b', tone]]);
      player.active = 'a';
      player.loop = { start: 0, end: 1 };
      const context = new OfflineAudioContext(1, rate / 2, rate);
      context.resume = () => {};
      player.context = context;
      player.level = context.createGain();
      player.level.connect(context.destination);
      player.play();
      context.suspend(0.25).then(() => {
        player.select('b');
        OfflineAudioContext.prototype.resume.call(context);
      });
      const rendered = await context.startRendering();
      return [...rendered.getChannelData(0)];
    """)
    wave = pd.Series(samples)[4800:]
    assert wave.diff().abs().max() < 0.5 * 2 * 3.1416 * 440 / 48000 * 1.05  # no step
    assert wave.abs().rolling(120).max().min() > 0.48  # no dip: a period has 109 samples


def test_a_loop_repeats_its_seconds_only(window, test):
    folder, key = test
    window.open(address(folder, 1))
    go_to_trial(window, number_of(window, key, "BS.2132"))
    window.press("u", "space")
    hear(window, UNTREATED_HZ)
    window.press("1")
    hear(window, RESTORED_HZ)
    window.run("shellac.player.setLoop(0.3, 0.35)")
    loop = window.run("return shellac.player.loop")
    assert loop["start"] == pytest.approx(0.3)
    assert loop["end"] == pytest.approx(0.8)  # half a second at least
    positions = [window.run("return shellac.player.position") for _ in range(20)]
    assert min(positions) >= 0.3
    assert max(positions) <= 0.8
    assert window.run("return document.querySelector('.timeline output').textContent") == (
        "Loop 0.3 to 0.8 s"
    )
    hear(window, RESTORED_HZ)
    window.press("l")
    assert window.run("return shellac.player.loop") == {"start": 0, "end": 1}
    assert window.complaints() == []


def test_from_consent_to_download_by_keys_alone(window, test):
    folder, key = test
    window.open(address(folder, 2))
    tab_to(window, "button.primary")
    window.press("enter")
    assert "tick the box" in window.run("return document.querySelector('.message').textContent")
    window.press("space")  # the focus is on the box now
    tab_to(window, "button.primary")
    window.press("enter")
    tab_to(window, "#sample")
    window.press("enter")
    window.wait("shellac.player.playing")
    for round_number in range(3):
        tab_to(window, f"input[name=round-{round_number}]")
        window.press("space")
    tab_to(window, "button.primary")
    window.press("enter")
    for page in range(PRACTICE_PAGES + TRIALS):
        window.wait(f"{READY} && shellac.session.state.step === {page + TRAINING}")
        if page >= PRACTICE_PAGES:
            window.press("n")
            message = window.run("return document.querySelector('.message').textContent")
            assert "Please listen" in message
            window.press("space")
            rows = window.run("return [...document.querySelectorAll('.row button')]"
                               ".map((each) => each.textContent)")  # fmt: skip
            for row in rows:
                window.press(row.lower(), "end", "left")
            if window.run("return Boolean(document.querySelector('#reference'))"):
                window.press("n")
                message = window.run("return document.querySelector('.message').textContent")
                assert "best one 100" in message
                window.press("1", "right")
        window.press("n")
    tab_to(window, ".downloads button.primary")
    window.press("enter")
    session = window.run("return shellac.session.state.session")
    answers = window.downloaded(f"{session[:8]}.json")
    told = wait_for(lambda: json.loads(answers.read_text() or "null"), "the download to be whole")
    assert len(told["trials"]) == len(key["trials"])
    assert {rating["score"] for trial in told["trials"] for rating in trial["ratings"]} <= {99, 100}
    assert all(rating["plays"] > 0 for trial in told["trials"] for rating in trial["ratings"])
    assert window.complaints() == []


def test_a_reload_loses_nothing(window, test):
    folder, key = test
    window.open(address(folder, 3))
    go_to_trial(window, number_of(window, key, "BS.1534-3"))
    window.press("space", "2", "end", "left")
    tab_to(window, "#comment")
    window.press(*"dull")
    before = window.run("return JSON.stringify(shellac.session.state)")
    window.run("location.reload()")
    window.wait(f"{READY} && !shellac.player.playing")
    assert "back where you left" in window.run("return document.body.textContent")
    assert window.run("return document.querySelectorAll('.row')[1].textContent").endswith("99")
    assert window.run("return document.querySelector('#comment').value") == "dull"
    after = window.run("return JSON.stringify(shellac.session.state)")
    assert json.loads(after)["trials"] == json.loads(before)["trials"]
    window.open(address(folder, 4))  # another listener's own address
    assert window.run("return shellac.session.state.step") == 0
    assert window.complaints() == []


def test_orders_are_blind_and_differ_between_listeners(window, test):
    folder, key = test
    orders = []
    for seed in (5, 6, 7, 5):
        window.open(address(folder, f"{seed}&listener={len(orders)}"))
        orders.append(
            window.run("return shellac.session.state.trials.map((t) => [t.trial, t.order])")
        )
    assert orders[0] == orders[3]
    assert len({json.dumps(order) for order in orders}) == 3
    assert len({json.dumps([name for name, _ in order]) for order in orders}) > 1
    for name, trial in key["trials"].items():
        drawn = {tuple(dict(order)[name]) for order in orders}
        assert len(drawn) > 1 or trial["method"] == "BS.2132"  # of which one alone is blind
    for name, order in orders[0]:
        labelled = key["trials"][name].get("labelled")
        assert labelled in (None, order[0])
    go_to_trial(window, 0)
    shown = window.run("return document.documentElement.outerHTML")
    for name, condition in conditions(key).items():
        assert name not in shown
        assert condition in {"reference", "untreated"} or condition not in shown


def test_controls_have_names_for_screen_readers(window, test):
    folder, _ = test
    window.open(address(folder, 8))
    for step in range(TRAINING + PRACTICE_PAGES + TRIALS):
        go_to_step(window, step)
        tree = window.devtools("Accessibility.getFullAXTree")["nodes"]
        roles = [node["role"]["value"] for node in tree if not node["ignored"]]
        assert CONTROLS & set(roles)
        assert "heading" in roles
        for node in tree:
            if not node["ignored"] and node["role"]["value"] in CONTROLS:
                assert node["name"]["value"]


@pytest.mark.parametrize("width", [390, 1100])
def test_nothing_sticks_out_sideways(window, test, width):
    folder, _ = test
    window.devtools("Emulation.setDeviceMetricsOverride", width=width, height=800,
                     deviceScaleFactor=1, mobile=width < 500)  # fmt: skip
    window.open(address(folder, 9))
    for step in (0, 1, 2, 4, 7):
        go_to_step(window, step)
        assert window.run("return document.documentElement.scrollWidth") <= width
    window.devtools("Emulation.clearDeviceMetricsOverride")


def test_twelve_assessors_are_understood(window, test, capsys):
    folder, key = test
    named = conditions(key)
    downloads = []
    for number in range(12):
        shift = number % 3 - 1  # -1, 0, 1: the median of all is the opinion itself
        opinions = {
            name: 100 if condition == "reference" else OPINIONS[condition] + shift
            for name, condition in named.items()
        }
        if number >= 10:  # two who take another version for the reference
            opinions |= {name: {"reference": 60, "tfilm": 100}.get(condition, 20)
                         for name, condition in named.items()}  # fmt: skip
        window.open(address(folder, 100 + number))
        window.run_async(ASSESSOR, opinions)
        session = window.run("return shellac.session.state.session")
        downloads += [window.downloaded(f"{session[:8]}.{each}") for each in ("json", "csv")]
    results = {}
    for ending in ("json", "csv"):
        out = folder.parent / ending
        mine = [str(path) for path in downloads if path.suffix == f".{ending}"]
        arguments = [*mine, "--key", str(folder / "key.json"), "-o", str(out)]
        assert main(["listening-test", "analyse", *arguments]) == 0
        assert "12 listeners, 2 excluded by post-screening" in capsys.readouterr().out
        results[ending] = pd.read_csv(out / "summary.csv")
    assert results["json"].equals(results["csv"])
    medians = results["json"].set_index("condition")["median"]
    assert medians.to_dict() == {"reference": 100.0} | OPINIONS
    pairs = pd.read_csv(folder.parent / "json" / "pairs.csv").set_index(["a", "b"])
    assert pairs.loc[("spline", "tfilm"), "median_difference"] == -20
    assert pairs.loc[("spline", "tfilm"), "p"] == pytest.approx(2 / 1024, rel=1e-4)
    assert window.complaints() == []


def test_the_page_works_from_a_web_host_too(window, test):
    folder, _ = test
    handler = functools.partial(_Quiet, directory=folder / "page")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        window.open(f"http://127.0.0.1:{server.server_port}/index.html?seed=1")
        go_to_trial(window, 0)
        window.press("space")
        window.wait(f"{HEARD_HZ} > 0")
        assert window.complaints() == []
        window.open("about:blank")
        server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Say nothing."""
