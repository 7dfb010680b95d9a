"use strict";
// What every part of the page uses: elements, a seeded order, and stimuli that come as scripts.
window.shellac = {};

(() => {
  const waiting = new Map();

  /** Called by audio/NAME.js: hand over the FLAC that the script holds. */
  shellac.receive = (name, content) => {
    waiting.get(name)?.(Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0)).buffer);
  };

  /** Load one stimulus. A page from disk may not fetch files, but it may load scripts. */
  shellac.load = (name) =>
    new Promise((resolve, reject) => {
      const script = document.createElement("script");
      waiting.set(name, resolve);
      script.onload = () => script.remove();
      script.onerror = () => {
        script.remove();
        reject(new Error("A sound could not be loaded. Check the connection and reload the page."));
      };
      script.src = `audio/${name}.js`;
      document.head.append(script);
    }).finally(() => waiting.delete(name));

  /** Numbers in [0, 1) that depend on the text alone (FNV-1a, then mulberry32). */
  shellac.random = (text) => {
    let state = 2166136261;
    for (const letter of text) state = Math.imul(state ^ letter.codePointAt(0), 16777619);
    return () => {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
    };
  };

  /** A copy of the list in an order drawn by `random` (Fisher and Yates). */
  shellac.shuffled = (list, random) => {
    const drawn = [...list];
    for (let last = drawn.length - 1; last > 0; last -= 1) {
      const other = Math.floor(random() * (last + 1));
      [drawn[last], drawn[other]] = [drawn[other], drawn[last]];
    }
    return drawn;
  };

  /** Make an element: attributes by name, "on..." as listeners, children as text or elements. */
  shellac.element = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (value === true) made.setAttribute(name, "");
      else if (value !== false && value != null) made.setAttribute(name, value);
    }
    made.append(...children.flat().filter((child) => child != null));
    return made;
  };

  /** Say something to who listens to the page instead of seeing it. */
  shellac.announce = (text) => {
    document.getElementById("live").textContent = text;
  };
})();
