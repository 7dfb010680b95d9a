"use strict";
// All versions of a trial play at once, started at one time; switching only moves gains, so that
// the music goes on at the same sample.
shellac.Player = class {
  static rate = 48000; // of all stimuli, so that decoding changes no sample
  static fade = 0.005; // seconds
  static shortestLoop = 0.5; // seconds

  constructor() {
    this.buffers = new Map();
    this.voices = new Map();
    this.active = null;
    this.playing = false;
    this.loop = { start: 0, end: 0 };
    this.decibels = -12;
    this.changed = () => {};
    this.loads = 0;
  }

  /** Load the named stimuli and forget all others. Returns false where a later call overtook. */
  async load(names) {
    this.stop();
    const turn = (this.loads += 1);
    const decoder = new OfflineAudioContext(2, 1, this.constructor.rate);
    const decoded = await Promise.all(
      names.map(async (name) => [
        name,
        this.buffers.get(name) ?? (await decoder.decodeAudioData(await shellac.load(name))),
      ]),
    );
    if (turn !== this.loads) return false;
    this.buffers = new Map(decoded);
    this.active = names[0];
    this.loop = { start: 0, end: this.duration };
    return true;
  }

  get duration() {
    return Math.min(...[...this.buffers.values()].map((buffer) => buffer.duration));
  }

  /** Seconds into the excerpt. */
  get position() {
    const played = this.playing ? this.context.currentTime - this.startedAt : 0;
    return this.loop.start + (Math.max(0, played) % (this.loop.end - this.loop.start));
  }

  /** Where sound comes out, made at the first gesture; `tap` sees what is heard. */
  output() {
    if (this.context) return;
    this.context = new AudioContext({ latencyHint: "interactive" });
    this.level = this.context.createGain();
    this.tap = this.context.createAnalyser();
    this.tap.fftSize = 4096;
    this.tap.smoothingTimeConstant = 0;
    this.level.connect(this.tap).connect(this.context.destination);
    this.setLevel(this.decibels);
  }

  setLevel(decibels) {
    this.decibels = decibels;
    this.level?.gain.setTargetAtTime(10 ** (decibels / 20), this.context.currentTime, 0.01);
  }

  play() {
    if (!this.buffers.size) return;
    this.output();
    this.context.resume();
    this.silence();
    this.startedAt = this.context.currentTime + 0.03;
    for (const [name, buffer] of this.buffers) {
      const source = this.context.createBufferSource();
      const gain = this.context.createGain();
      source.buffer = this.cut(buffer);
      source.loop = true;
      gain.gain.value = name === this.active ? 1 : 0;
      source.connect(gain).connect(this.level);
      source.start(this.startedAt);
      this.voices.set(name, { source, gain });
    }
    this.playing = true;
    this.changed();
  }

  /** The loop as a buffer of its own, faded at both ends: it repeats exactly, without a click. */
  cut(buffer) {
    const { rate, fade } = this.constructor;
    const first = Math.round(this.loop.start * rate);
    const length = Math.max(1, Math.round(this.loop.end * rate) - first);
    const ramp = Math.min(Math.round(fade * rate), length >> 1);
    const part = new AudioBuffer({
      length,
      numberOfChannels: buffer.numberOfChannels,
      sampleRate: rate,
    });
    for (let channel = 0; channel < buffer.numberOfChannels; channel += 1) {
      const samples = part.getChannelData(channel);
      samples.set(buffer.getChannelData(channel).subarray(first, first + length));
      for (let index = 0; index < ramp; index += 1) {
        samples[index] *= index / ramp;
        samples[length - 1 - index] *= index / ramp;
      }
    }
    return part;
  }

  select(name) {
    this.active = name;
    for (const [each, { gain }] of this.voices) {
      const now = this.context.currentTime;
      gain.gain.cancelScheduledValues(now);
      gain.gain.setValueAtTime(gain.gain.value, now);
      gain.gain.linearRampToValueAtTime(each === name ? 1 : 0, now + this.constructor.fade);
    }
    this.changed();
  }

  stop() {
    this.silence();
    this.playing = false;
    this.changed();
  }

  silence() {
    for (const { source, gain } of this.voices.values()) {
      const now = this.context.currentTime;
      gain.gain.cancelScheduledValues(now);
      gain.gain.setValueAtTime(gain.gain.value, now);
      gain.gain.linearRampToValueAtTime(0, now + this.constructor.fade);
      source.stop(now + 2 * this.constructor.fade);
    }
    this.voices.clear();
  }

  /** Repeat from `start` to `end` seconds; what plays goes on from the new start. */
  setLoop(start, end) {
    const { shortestLoop } = this.constructor;
    const from = Math.max(0, Math.min(start, this.duration - shortestLoop));
    const to = Math.min(this.duration, Math.max(end, from + shortestLoop));
    this.loop = { start: Math.max(0, from), end: to };
    if (this.playing) this.play();
    this.changed();
  }

  /** Play a buffer once, instead of what plays now. */
  playOnce(buffer) {
    this.stop();
    this.output();
    this.context.resume();
    const source = this.context.createBufferSource();
    const gain = this.context.createGain();
    source.buffer = buffer;
    source.connect(gain).connect(this.level);
    source.start(this.context.currentTime + 0.03);
    this.voices.set("", { source, gain });
  }
};
