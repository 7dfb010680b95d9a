"use strict";
// The way through the test: consent, checks, training, trials in their drawn order, farewell.
(() => {
  const restAfter = 25 * 60 * 1000; // BS.1534 asks for breaks; half an hour tires the ear
  const session = new shellac.Session(shellac.test, location.search);
  const player = new shellac.Player();
  player.decibels = session.state.level;
  let rested = performance.now();

  const training = session.training();
  const { trials } = session.state;
  const pages = [
    shellac.consentPage,
    shellac.checksPage,
    ...training.map((trial, place) => (tools) => shellac.trialPage(tools, trial,
      { training: true, last: place === training.length - 1, notice: notice() })),
    ...trials.map((trial) => (tools) => shellac.trialPage(tools, trial, { training: false, notice: notice() })),
    shellac.finishPage,
  ];

  /** What a page has to say before all else: that it goes on, that a break is due. */
  const notice = () => {
    const said = [];
    if (session.wasResumed) said.push("You are back where you left the test; your earlier answers are kept.");
    session.wasResumed = false;
    if (!session.saved) said.push("This browser keeps nothing: do not reload or close the page before the end.");
    if (performance.now() - rested > restAfter) {
      rested = performance.now();
      said.push("You have listened for 25 minutes. A break of ten minutes does your ears good; the test waits.");
    }
    return said.join(" ") || null;
  };

  const show = () => {
    const stage = document.getElementById("stage");
    stage.firstElementChild?.leave?.();
    player.stop();
    player.changed = () => {};
    const step = Math.min(session.state.step, pages.length - 1);
    const first = pages.length - 1 - trials.length;
    const root = pages[step]({ session, player, next, restart });
    stage.replaceChildren(root);
    const number = step - first + 1;
    document.getElementById("progress").hidden = number < 1 || number > trials.length;
    document.getElementById("progress-text").textContent = `Comparison ${number} of ${trials.length}`;
    document.getElementById("progress-bar").value = (number - 1) / trials.length;
    scrollTo(0, 0);
    root.querySelector("h1").focus();
  };
  const next = () => {
    session.state.step += 1;
    session.save();
    show();
  };
  const restart = () => {
    session.forget();
    location.reload();
  };
  Object.assign(shellac, { session, player }); // for who looks on from outside
  show();
})();
