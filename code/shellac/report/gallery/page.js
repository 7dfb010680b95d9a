"use strict";
// All versions of a recording play together and all but one are silent: switching keeps the place.
const LARGEST_DRIFT = 0.03; // seconds between two versions, more is pulled together

class Player {
  constructor(section) {
    this.sounds = [...section.querySelectorAll("audio")];
    this.pictures = [...section.querySelectorAll(".picture img")];
    this.buttons = [...section.querySelectorAll(".versions button")];
    this.seconds = Number(section.dataset.seconds);
    this.chosen = 0;
    this.playing = false;
    this.toggle = section.querySelector(".transport button");
    this.slider = section.querySelector("input");
    this.told = section.querySelector("output");
    this.line = section.querySelector(".picture i");
    this.buttons.forEach((button, i) => button.addEventListener("click", () => this.choose(i)));
    this.toggle.addEventListener("click", () => (this.playing ? this.pause() : this.play()));
    this.slider.addEventListener("input", () => this.seek(Number(this.slider.value)));
    section.querySelector(".picture").addEventListener("click", (event) => {
      const box = event.currentTarget.getBoundingClientRect();
      this.seek(((event.clientX - box.left) / box.width) * this.seconds);
    });
    section.addEventListener("keydown", (event) => this.key(event));
    this.sounds.forEach((sound) => sound.addEventListener("ended", () => this.pause()));
    this.choose(0);
  }

  get now() {
    return this.sounds[this.chosen];
  }

  choose(i) {
    const place = this.now.currentTime;
    this.chosen = i;
    if (Math.abs(this.now.currentTime - place) > LARGEST_DRIFT) this.now.currentTime = place;
    this.sounds.forEach((sound, j) => (sound.muted = j !== i));
    this.pictures.forEach((picture, j) => picture.classList.toggle("shown", j === i));
    this.buttons.forEach((button, j) => {
      button.setAttribute("aria-checked", String(j === i));
      button.tabIndex = j === i ? 0 : -1;
    });
  }

  async play() {
    Player.all.filter((player) => player !== this).forEach((player) => player.pause());
    if (this.now.currentTime >= this.seconds - 0.05) this.seek(0);
    const place = this.now.currentTime;
    this.sounds.forEach((sound) => (sound.currentTime = place));
    this.playing = true;
    this.toggle.textContent = "Pause";
    await Promise.all(this.sounds.map((sound) => sound.play()));
    this.follow();
  }

  pause() {
    this.playing = false;
    this.toggle.textContent = "Play";
    this.sounds.forEach((sound) => sound.pause());
    this.draw();
  }

  seek(place) {
    this.sounds.forEach((sound) => (sound.currentTime = place));
    this.draw(place);
  }

  follow() {
    this.draw();
    if (this.playing) requestAnimationFrame(() => this.follow());
  }

  draw(place = this.now.currentTime) {
    this.slider.value = place;
    this.line.style.left = `${(100 * place) / this.seconds}%`;
    this.told.textContent = `${place.toFixed(1)} s`;
  }

  key(event) {
    const count = this.buttons.length;
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const digit = Number(event.key);
    if (event.key === " " && event.target !== this.toggle) this.playing ? this.pause() : this.play();
    else if (digit >= 1 && digit <= count) this.choose(digit - 1);
    else if (step && event.target.closest(".versions")) this.choose((this.chosen + step + count) % count);
    else return;
    event.preventDefault();
    if (event.target.closest(".versions")) this.buttons[this.chosen].focus();
  }
}

Player.all = [];
document.querySelectorAll("section").forEach((section) => Player.all.push(new Player(section)));
