"use strict";
// The excerpt over time: the open version's waveform (never a blind one's), the loop, where we are.
shellac.timeline = (player, shown) => {
  const { element } = shellac;
  const canvas = element("canvas", { "aria-hidden": "true" });
  const range = (label, value) =>
    element("input", { type: "range", min: 0, max: player.duration, step: 0.05, value,
      "aria-label": label, "data-loop": true });
  const start = range("Loop start", 0);
  const end = range("Loop end", player.duration);
  const told = element("output", { class: "quiet" });
  const whole = element("button", { type: "button", class: "plain",
    onclick: () => player.setLoop(0, player.duration) }, "Whole excerpt ", element("kbd", {}, "L"));
  const track = element("div", { class: "track" }, canvas, start, end);
  const root = element("div", { class: "timeline" }, track,
    element("div", { class: "timeline-foot" }, told, whole));

  const samples = player.buffers.get(shown).getChannelData(0);
  let peaks = [];
  const measure = () => {
    const bars = Math.max(40, Math.floor(track.clientWidth / 4));
    const size = Math.max(1, Math.floor(samples.length / bars));
    peaks = Array.from({ length: bars }, (_, bar) => {
      let peak = 0;
      for (let index = bar * size; index < (bar + 1) * size; index += 1) {
        peak = Math.max(peak, Math.abs(samples[index]));
      }
      return peak;
    });
    const loudest = Math.max(...peaks, 1e-6);
    peaks = peaks.map((peak) => peak / loudest);
    canvas.width = track.clientWidth * devicePixelRatio;
    canvas.height = track.clientHeight * devicePixelRatio;
  };

  const draw = () => {
    const { width, height } = canvas;
    const pen = canvas.getContext("2d");
    const style = getComputedStyle(root);
    const colour = (name) => style.getPropertyValue(name);
    const at = (seconds) => (seconds / player.duration) * width;
    pen.clearRect(0, 0, width, height);
    pen.fillStyle = colour("--loop");
    pen.fillRect(at(player.loop.start), 0, at(player.loop.end) - at(player.loop.start), height);
    const step = width / peaks.length;
    peaks.forEach((peak, bar) => {
      const here = (bar + 0.5) * step;
      const inside = here >= at(player.loop.start) && here <= at(player.loop.end);
      const tall = Math.max(2, peak * height * 0.8);
      pen.fillStyle = colour(inside ? "--wave" : "--line");
      pen.fillRect(bar * step + step * 0.2, (height - tall) / 2, step * 0.6, tall);
    });
    if (player.playing) {
      pen.fillStyle = colour("--accent");
      pen.fillRect(at(player.position) - devicePixelRatio, 0, 2 * devicePixelRatio, height);
    }
  };

  const tell = () => {
    const { start: from, end: to } = player.loop;
    start.value = from;
    end.value = to;
    start.setAttribute("aria-valuetext", `${from.toFixed(1)} seconds`);
    end.setAttribute("aria-valuetext", `${to.toFixed(1)} seconds`);
    const all = from === 0 && to === player.duration;
    told.textContent = `${all ? "Repeats" : "Loop"} ${from.toFixed(1)} to ${to.toFixed(1)} s`;
    whole.disabled = all;
    draw();
  };

  start.addEventListener("input", () => player.setLoop(
    Math.min(Number(start.value), player.loop.end - player.constructor.shortestLoop), player.loop.end));
  end.addEventListener("input", () => player.setLoop(player.loop.start,
    Math.max(Number(end.value), player.loop.start + player.constructor.shortestLoop)));

  let from = null;
  const seconds = (event) => {
    const box = canvas.getBoundingClientRect();
    return Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)) * player.duration;
  };
  canvas.addEventListener("pointerdown", (event) => {
    from = seconds(event);
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointerup", (event) => {
    const to = seconds(event);
    if (Math.abs(to - from) > 0.1) player.setLoop(Math.min(from, to), Math.max(from, to));
  });

  const run = () => {
    if (!root.isConnected) return; // another page is shown
    if (player.playing) draw();
    requestAnimationFrame(run);
  };
  const resize = new ResizeObserver(() => {
    if (!root.isConnected) return resize.disconnect();
    measure();
    tell();
  });
  resize.observe(track);
  requestAnimationFrame(run);
  return { root, tell };
};
