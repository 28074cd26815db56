/* What the console's pages need beside htmx: a chime, a question before what cannot be undone, file sizes. */
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
    let before = count();
    document.addEventListener("htmx:afterSettle", () => {
      const now = count();
      if (box.checked && now > before) ring();
      before = now;
    });
  }

  function count() {
    return Number(document.querySelector(".board")?.dataset.new ?? 0);
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

  document.addEventListener("DOMContentLoaded", listen);
})();
