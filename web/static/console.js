/* What the console's pages need beside htmx: a chime, words for what failed, a question before what cannot be
   undone, file sizes. */
(() => {
  "use strict";

  const CHIME = "chatcart.chime";
  let context = null;

  function ring() {
    if (context === null) return;
    for (const [start, pitch] of [[0, 880], [0.18, 1175]]) {
      const tone = context.createOscillator();
      const volume = context.createGain();
      const from = context.currentTime + start;
      tone.frequency.value = pitch;
      volume.gain.setValueAtTime(0.15, from);
      volume.gain.exponentialRampToValueAtTime(0.001, from + 0.5);
      tone.connect(volume).connect(context.destination);
      tone.start(from);
      tone.stop(from + 0.5);
    }
  }

  function listen() {
    const box = document.getElementById("chime");
    if (!box) return;
    // Browsers let a page sound only after somebody touched it.
    const wake = () => {
      if (box.checked && context === null) context = new AudioContext();
    };
    box.checked = localStorage.getItem(CHIME) === "on";
    box.addEventListener("change", () => {
      localStorage.setItem(CHIME, box.checked ? "on" : "off");
      wake();
      if (box.checked) ring();
    });
    document.addEventListener("pointerdown", wake, { once: true });
    // By what it is, not by how many: one that comes while another one goes rings, too.
    const seen = new Set(ids(".board"));
    document.addEventListener("htmx:afterSettle", () => {
      const isNew = ids(".board .new").some((id) => !seen.has(id));
      ids(".board").forEach((id) => seen.add(id));
      if (box.checked && isNew) ring();
    });
  }

  function ids(within) {
    return [...document.querySelectorAll(`${within} [data-id]`)].map((card) => card.dataset.id);
  }

  const TROUBLE = {
    403: "That was refused: this page is too old, or it is not for your role. Load it again.",
    404: "That is not there any more. Load the page again.",
    413: "That is too large to be sent. Nothing was changed.",
    429: "That was too often. Wait a minute and try again.",
    503: "The database does not answer. Nothing was changed: try again in a moment.",
  };
  const NO_CONNECTION = "No connection: what you see may be out of date, and what you pressed may not have arrived.";

  // Words for what htmx could not get or send, which it would pass over in silence. They stay until
  // something of the same kind succeeds: a page that updates itself is no answer to a click that failed.
  function listenForTrouble() {
    const place = document.getElementById("trouble");
    const kindOf = (event) => (event.detail.requestConfig?.verb === "get" ? "get" : "post");
    const tell = (event, text) => {
      place.dataset.kind = kindOf(event);
      place.textContent = text;
    };
    document.addEventListener("htmx:responseError", (event) => {
      tell(event, TROUBLE[event.detail.xhr.status] ?? "Something went wrong. Load the page again to see what was done.");
    });
    document.addEventListener("htmx:sendError", (event) => tell(event, NO_CONNECTION));
    document.addEventListener("htmx:afterRequest", (event) => {
      if (event.detail.successful && place.dataset.kind === kindOf(event)) place.textContent = "";
    });
  }

  document.addEventListener("submit", (event) => {
    const question = event.target.dataset.ask;
    if (question && !window.confirm(question)) event.preventDefault();
  });

  document.addEventListener("change", (event) => {
    const field = event.target;
    if (field.type !== "file" || !field.dataset.mostBytes) return;
    const tooLarge = [...field.files].some((file) => file.size > Number(field.dataset.mostBytes));
    field.setCustomValidity(tooLarge ? field.dataset.tooLarge : "");
    field.reportValidity();
  });

  document.addEventListener("htmx:sseMessage", (event) => {
    if (event.detail.type === "signed-out") window.location.assign("/console/sign-in");
  });

  document.addEventListener("DOMContentLoaded", () => {
    listen();
    listenForTrouble();
  });
})();
