"use strict";
// One listener's answers: kept in the browser after every change, given out as JSON and CSV.
shellac.Session = class {
  constructor(test, address) {
    this.test = test;
    this.place = `${test.format}:${test.test}${address}`; // one browser may serve several listeners
    this.saved = true;
    this.state = this.resumed() ?? this.fresh(new URLSearchParams(address));
  }

  /** A trial's page before anything is heard or rated. */
  unanswered(trial, random) {
    return {
      trial: trial.trial,
      order: this.drawn(trial, random),
      ratings: {},
      plays: {},
      comment: "",
      milliseconds: 0,
    };
  }

  /** A new listener; the address may give "seed" and "listener" (a laboratory's own number). */
  fresh(asked) {
    const drawn = crypto.getRandomValues(new Uint32Array(5));
    const digits = [...drawn].map((word) => word.toString(16).padStart(8, "0")).join("");
    const seed = asked.get("seed") ?? String(drawn[4]);
    const random = shellac.random(`${this.test.test}/${seed}`);
    const trials = shellac.shuffled(this.test.trials, random).map((trial) => this.unanswered(trial, random));
    return {
      session: digits.slice(0, 32),
      seed,
      listener: asked.get("listener") ?? "",
      step: 0,
      started: new Date().toISOString(),
      finished: null,
      level: -12,
      headphones: {},
      comment: "",
      trials,
    };
  }

  /** The order of a trial's stimuli: at random, the labelled one first. */
  drawn(trial, random) {
    const blind = trial.stimuli.filter((name) => name !== trial.labelled);
    return [...(trial.labelled ? [trial.labelled] : []), ...shellac.shuffled(blind, random)];
  }

  resumed() {
    try {
      const state = JSON.parse(localStorage.getItem(this.place));
      if (state?.trials?.length !== this.test.trials.length) return null;
      this.wasResumed = state.step > 0;
      return state;
    } catch {
      return null; // no storage here, or it holds something else
    }
  }

  save() {
    try {
      localStorage.setItem(this.place, JSON.stringify(this.state));
    } catch {
      this.saved = false; // said on the page: a reload would lose the answers
    }
  }

  forget() {
    try {
      localStorage.removeItem(this.place);
    } catch {
      this.saved = false;
    }
  }

  /** What the test knows of a trial: method, seconds, files. */
  described(name) {
    return this.test.trials.find((trial) => trial.trial === name);
  }

  /** One trial of each method, to practise on. */
  training() {
    const first = new Map();
    for (const trial of this.test.trials) {
      if (!first.has(trial.method)) first.set(trial.method, trial);
    }
    const random = shellac.random(`${this.state.seed}/training`);
    return [...first.values()].map((trial) => this.unanswered(trial, random));
  }

  /** Everything, as it is downloaded. */
  record() {
    const { state, test } = this;
    const rated = (trial) =>
      trial.order.map((stimulus) => ({
        stimulus,
        score: trial.ratings[stimulus].score,
        milliseconds: trial.ratings[stimulus].milliseconds,
        plays: trial.plays[stimulus] ?? 0,
      }));
    return {
      format: test.format,
      version: test.version,
      test: test.test,
      session: state.session,
      listener: state.listener,
      seed: state.seed,
      started: state.started,
      finished: state.finished,
      browser: navigator.userAgent,
      level_db: state.level,
      headphone_answers: state.headphones,
      comment: state.comment,
      trials: state.trials.map((trial) => ({
        trial: trial.trial,
        comment: trial.comment,
        milliseconds: trial.milliseconds,
        ratings: rated(trial),
      })),
    };
  }

  json() {
    return `${JSON.stringify(this.record(), null, 1)}\n`;
  }

  /** The columns of webMUSHRA, with the whole test's hash, and how often each was listened to. */
  csv() {
    const columns = ["session_test_id", "listener", "session_uuid", "trial_id", "rating_stimulus",
      "rating_score", "rating_time", "rating_comment", "rating_plays"];
    const record = this.record();
    const rows = record.trials.flatMap((trial) =>
      trial.ratings.map((rating) => [record.test, record.listener, record.session, trial.trial,
        rating.stimulus, rating.score, rating.milliseconds, trial.comment, rating.plays]),
    );
    const quoted = (value) => {
      const text = String(value);
      return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    };
    return [columns, ...rows].map((row) => `${row.map(quoted).join(",")}\n`).join("");
  }
};
