"use strict";
// Before the test: consent, headphones, volume. After it: the answers to take away.
(() => {
  const { element } = shellac;

  shellac.consentPage = ({ session, next }) => {
    const agree = element("input", { type: "checkbox", id: "agree" });
    const message = element("p", { class: "message", role: "alert" });
    const begin = () => {
      if (agree.checked) return next();
      message.textContent = "Please tick the box first.";
      agree.focus();
    };
    const many = session.test.trials.length;
    return element("section", {},
      element("h1", { tabindex: -1 }, session.test.title),
      session.test.notice ? element("p", { class: "notice" }, session.test.notice) : null,
      session.test.consent.map((paragraph) => element("p", {}, paragraph)),
      element("p", {}, `There ${many === 1 ? "is one comparison" : `are ${many} comparisons`}, after a page to practise on. You need headphones and a quiet room. You may pause at any time: the page goes on where you left it.`),
      element("label", { class: "check" }, agree, element("span", {}, "I have read this and want to take part.")),
      message,
      element("footer", {}, element("button", { type: "button", class: "primary", onclick: begin }, "Begin")),
    );
  };

  const rounds = 3;
  const answers = ["first", "second", "third"];

  /** Three low tones: one soft, one with its channels in antiphase, which loudspeakers cancel. */
  const tones = (round) => {
    const { rate } = shellac.Player;
    const [tone, pause, ramp] = [0.8, 0.4, 0.1];
    const buffer = new AudioBuffer({ length: Math.round(3 * (tone + pause) * rate), numberOfChannels: 2, sampleRate: rate });
    const channels = [buffer.getChannelData(0), buffer.getChannelData(1)];
    round.forEach((kind, place) => {
      const first = Math.round(place * (tone + pause) * rate);
      for (let index = 0; index < tone * rate; index += 1) {
        const seconds = index / rate;
        const swell = Math.min(1, seconds / ramp, (tone - seconds) / ramp);
        const value = (kind === "soft" ? 0.1 : 0.2) * swell * Math.sin(2 * Math.PI * 200 * seconds);
        channels[0][first + index] = value;
        channels[1][first + index] = kind === "antiphase" ? -value : value;
      }
    });
    return buffer;
  };

  const headphoneRound = ({ session, player }, order, number) => {
    const choose = (answer) => {
      session.state.headphones[number] = order[answers.indexOf(answer)] === "soft";
      session.save();
    };
    const choices = answers.map((answer) =>
      element("label", { class: "choice" },
        element("input", { type: "radio", name: `round-${number}`, value: answer, onchange: () => choose(answer) }),
        element("span", {}, answer)),
    );
    return element("fieldset", {},
      element("legend", {}, `Round ${number + 1}`),
      element("button", { type: "button", onclick: () => player.playOnce(tones(order)) }, "Play tones"),
      element("div", { class: "choices" }, choices),
    );
  };

  shellac.checksPage = ({ session, player, next }) => {
    const { state, test } = session;
    const sample = test.trials[0].reference ?? test.trials[0].labelled;
    const message = element("p", { class: "message", role: "alert" });
    const random = shellac.random(`${state.seed}/headphones`);
    const orders = Array.from({ length: rounds }, () => shellac.shuffled(["plain", "soft", "antiphase"], random));
    let heard = false;
    const play = element("button", { type: "button", id: "sample" }, "Play music");
    const start = async () => {
      if (player.playing) return player.stop();
      try {
        if (await player.load([sample])) player.play();
        heard = true;
      } catch (error) {
        message.textContent = error.message;
      }
    };
    play.addEventListener("click", start);
    player.changed = () => (play.textContent = player.playing ? "Stop music" : "Play music");
    const level = element("input", { type: "range", min: -40, max: 0, step: 1, value: state.level, "aria-label": "Volume", class: "filled" });
    const paint = () => {
      level.style.setProperty("--value", `${((Number(level.value) + 40) / 40) * 100}%`);
      level.setAttribute("aria-valuetext", `${level.value} decibels`);
    };
    level.addEventListener("input", () => {
      state.level = Number(level.value);
      player.setLevel(state.level);
      paint();
      session.save();
    });
    paint();
    state.headphones = {};
    const go = () => {
      const answered = Object.values(state.headphones);
      if (!heard) message.textContent = "Please play the music and set the volume first.";
      else if (answered.length < rounds) message.textContent = "Please answer all three rounds.";
      else return next();
    };
    return element("section", {},
      element("h1", { tabindex: -1 }, "Headphones and volume"),
      element("p", {}, "Put your headphones on. Play the music, and set a volume that is comfortable and loud enough to hear detail. Leave it there until the end."),
      element("div", { class: "volume" }, play, level),
      element("h2", {}, "Which tone is the softest?"),
      element("p", { class: "quiet" }, "Every round plays three tones. Over headphones this is easy; over loudspeakers it is not."),
      element("div", { class: "rounds" }, orders.map((order, number) => headphoneRound({ session, player }, order, number))),
      message,
      element("footer", {}, element("button", { type: "button", class: "primary", onclick: go }, "Continue")),
    );
  };

  const download = (name, type, text) => {
    const link = element("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };

  shellac.finishPage = ({ session, restart }) => {
    const { state } = session;
    state.finished ??= new Date().toISOString();
    session.save();
    const name = `responses-${state.session.slice(0, 8)}`;
    const comment = element("textarea", { id: "comment", rows: 3, oninput: () => {
      state.comment = comment.value;
      session.save();
    } });
    comment.value = state.comment;
    const forget = element("button", { type: "button", class: "plain", onclick: () => {
      if (forget.dataset.sure) return restart();
      forget.dataset.sure = "yes";
      forget.textContent = "Really delete? Press again";
    } }, "Delete the answers from this browser");
    return element("section", {},
      element("h1", { tabindex: -1 }, "Thank you"),
      element("p", {}, "That was the last comparison. Please download your answers and give the file to whoever asked you. Nothing has been sent."),
      element("label", { for: "comment", class: "stacked" }, "Anything to say about the whole test?"),
      comment,
      element("div", { class: "downloads" },
        element("button", { type: "button", class: "primary", onclick: () => download(`${name}.json`, "application/json", session.json()) }, "Download answers (JSON)"),
        element("button", { type: "button", onclick: () => download(`${name}.csv`, "text/csv", session.csv()) }, "Download as table (CSV)")),
      element("footer", {}, forget),
    );
  };
})();
