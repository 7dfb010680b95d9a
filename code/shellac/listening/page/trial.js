"use strict";
// One page of versions to rate; training pages are the same, and keep nothing.
(() => {
  const { element } = shellac;
  const words = ["bad", "poor", "fair", "good", "excellent"];
  const keys = [..."1234567890AB"];
  const withReference = "BS.1534-3";

  const word = (score) => words[Math.min(4, Math.floor(score / 20))];

  /** A version's row: the button that makes it heard, its slider, its score. */
  const makeRow = (trial, name, key, label, listen, save) => {
    const rating = trial.ratings[name];
    const slider = element("input", { type: "range", min: 0, max: 100, step: 1,
      value: rating?.score ?? 0, class: "filled score", "aria-label": `Rating of ${label}` });
    const score = element("output", { class: "value", "aria-hidden": "true" });
    const button = element("button", { type: "button", class: "version", "aria-pressed": "false",
      "aria-label": `Listen to ${label}`, "aria-keyshortcuts": key, onclick: () => listen(name) }, key);
    const root = element("li", { class: label.startsWith("version") ? "row" : "row labelled" }, button,
      element("div", { class: "slide" }, label.startsWith("version") ? null : element("span", { class: "named" }, label), slider),
      score);
    const paint = () => {
      const rated = trial.ratings[name];
      root.classList.toggle("unrated", !rated);
      score.textContent = rated ? rated.score : "–";
      slider.style.setProperty("--value", rated ? `${rated.score}%` : "0%");
      slider.setAttribute("aria-valuetext", rated ? `${rated.score}, ${word(rated.score)}` : "not rated yet");
    };
    const rate = () => {
      trial.ratings[name] = { score: Number(slider.value), milliseconds: Math.round(trial.clock()) };
      paint();
      save();
    };
    slider.addEventListener("input", rate);
    slider.addEventListener("pointerup", rate); // a rating of 0 moves nothing
    slider.addEventListener("keydown", ({ key: pressed }) => {
      if (["ArrowLeft", "ArrowDown", "Home", "PageDown"].includes(pressed) && slider.value === "0") rate();
    });
    slider.addEventListener("focus", () => listen(name));
    paint();
    return { root, slider, button, label, key };
  };

  /** What is still to be done before the next page, or null; `row` is where. */
  const missing = (trial, rows, described, training) => {
    if (training) return null;
    for (const [name, row] of rows) {
      if (!trial.plays[name]) return { row, text: `Please listen to ${row.label} (key ${row.key}).` };
    }
    for (const [name, row] of rows) {
      if (!trial.ratings[name]) return { row, text: `Please rate ${row.label} (key ${row.key}).` };
    }
    const best = Math.max(...Object.values(trial.ratings).map(({ score }) => score));
    if (described.method === withReference && best < 100) {
      const row = [...rows.values()][0];
      return { row, text: "One of the versions is the reference itself: please rate the best one 100." };
    }
    return null;
  };

  const asked = (described) =>
    described.method === withReference
      ? ["How close is each version to the reference?",
         "Rate every version against the reference; 100 means that you hear no difference. One of the versions is the reference itself, so at least one must get 100."]
      : ["How good does each version sound?",
         "These are versions of one historical recording, and nobody knows how it once sounded. Rate the overall sound quality of each, the untreated transfer included."];

  const help = (described) =>
    element("details", { class: "help" }, element("summary", {}, "Keys"),
      element("dl", {},
        [["Space", "play or stop"], ["1 to 9, 0, A, B", "listen to a version, and move to its slider"],
         described.reference ? ["R", "listen to the reference"] : ["U", "listen to the untreated transfer"],
         ["Arrows, Page up, Page down", "move the slider"],
         ["I, O", "start and end the loop here"], ["L", "whole excerpt"], ["N", "next page"]].map(([key, does]) =>
          element("div", {}, element("dt", {}, key), element("dd", {}, does)))));

  shellac.trialPage = ({ session, player, next }, trial, { training, last, notice }) => {
    const described = session.described(trial.trial);
    const opened = described.reference ?? described.labelled;
    const save = () => {
      trial.milliseconds = Math.round(trial.clock());
      if (!training) session.save();
    };
    const entered = performance.now();
    const before = trial.milliseconds;
    Object.defineProperty(trial, "clock", { value: () => before + performance.now() - entered, configurable: true });

    const rows = new Map();
    const play = element("button", { type: "button", class: "primary", id: "play", "aria-keyshortcuts": "Space", disabled: true });
    const reference = described.reference
      ? element("button", { type: "button", class: "version wide", id: "reference", "aria-pressed": "false",
          "aria-label": "Listen to the reference", "aria-keyshortcuts": "R", onclick: () => listen(described.reference) },
          "Reference ", element("kbd", {}, "R"))
      : null;

    const note = () => {
      if (player.playing && rows.has(player.active)) {
        trial.plays[player.active] = (trial.plays[player.active] ?? 0) + 1;
        save();
      }
    };
    const listen = (name) => {
      if (!player.buffers.has(name) || name === player.active) return;
      player.select(name);
      note();
      const row = rows.get(name);
      if (row) {
        row.slider.focus();
        shellac.announce(`${row.label}${player.playing ? "" : ", stopped"}`);
      } else shellac.announce("reference");
    };
    const toggle = () => {
      if (player.playing) return player.stop();
      player.play();
      note();
    };
    play.addEventListener("click", toggle);

    let number = 0;
    for (const name of trial.order) {
      const labelled = name === described.labelled;
      const key = labelled ? "U" : keys[number];
      const label = labelled ? "untreated transfer" : `version ${key}`;
      number += labelled ? 0 : 1;
      rows.set(name, makeRow(trial, name, key, label, listen, save));
    }

    const message = element("p", { class: "message", role: "alert" });
    const status = element("p", { class: "quiet", id: "loading" }, "Loading the sounds …");
    const go = () => {
      const left = missing(trial, rows, described, training);
      if (left) {
        message.textContent = left.text;
        left.row.slider.focus();
        return;
      }
      save();
      next();
    };
    const comment = element("textarea", { rows: 2, id: "comment", oninput: () => {
      trial.comment = comment.value;
      save();
    } });
    comment.value = trial.comment;

    let timeline = null;
    const refresh = () => {
      play.replaceChildren(player.playing ? "Stop " : "Play ", element("kbd", {}, "Space"));
      for (const [name, { button }] of rows) button.setAttribute("aria-pressed", String(name === player.active));
      reference?.setAttribute("aria-pressed", String(player.active === described.reference));
      timeline?.tell();
    };
    player.changed = refresh;

    const shortcuts = (event) => {
      const { target, key } = event;
      if (event.ctrlKey || event.metaKey || event.altKey || target.matches("textarea")) return;
      const pressed = key.toUpperCase();
      const row = [...rows].find(([, each]) => each.key === pressed);
      const acts = {
        R: () => described.reference && listen(described.reference),
        I: () => player.setLoop(player.position, Math.max(player.loop.end, player.position)),
        O: () => player.setLoop(player.loop.start, player.position),
        L: () => player.setLoop(0, player.duration),
        N: go,
      };
      if (key === " ") {
        if (target.matches("button, summary, a")) return; // which it presses by itself
        if (!play.disabled) toggle();
      } else if (row) {
        listen(row[0]);
        row[1].slider.focus();
      } else if (acts[pressed] && !play.disabled) acts[pressed]();
      else return;
      event.preventDefault();
    };

    const [question, explained] = asked(described);
    const root = element("section", {},
      element("h1", { tabindex: -1 }, question),
      training ? element("p", { class: "notice" }, "This page is for practice: listen, try the keys and the sliders. Nothing is kept.") : null,
      notice ? element("p", { class: "notice" }, notice) : null,
      element("p", {}, explained),
      element("div", { class: "transport" }, play, reference, status),
      element("div", { id: "timeline" }),
      element("div", { class: "scale", "aria-hidden": "true" }, words.map((each) => element("span", {}, each))),
      element("ol", { class: "rows" }, [...rows.values()].map((row) => row.root)),
      element("label", { for: "comment", class: "stacked" }, "Comment (if you like)"), comment,
      message,
      element("footer", {}, help(described),
        element("button", { type: "button", class: "primary", id: "next", onclick: go }, training && last ? "Begin the test " : "Next ", element("kbd", {}, "N"))),
    );

    const ready = async () => {
      try {
        const names = [...new Set([opened, ...trial.order])];
        if (!(await player.load(names))) return;
        timeline = shellac.timeline(player, opened);
        root.querySelector("#timeline").replaceWith(timeline.root);
        status.remove();
        play.disabled = false;
        refresh();
      } catch (error) {
        status.textContent = error.message;
      }
    };
    refresh();
    document.addEventListener("keydown", shortcuts);
    root.leave = () => document.removeEventListener("keydown", shortcuts);
    ready();
    return root;
  };
})();
