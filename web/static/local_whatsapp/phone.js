// One phone on the screen: its bubbles, what it sends, and what arrives.
// Directions are the server's view: "in" is what the customer wrote, "out" is from the bot.

import { FEW_EMOJI, appendFormatted, pictureLink, safeUrl } from "./markup.js";

const MESSAGES_URL = "/local-whatsapp/messages";
const PICTURES_URL = "/local-whatsapp/pictures";
const EVENTS_URL = "/local-whatsapp/events";
const LOCALE = "en-GB"; // 24-hour times: the bubbles keep just that much room for them
const POST_TIMEOUT_MS = 30_000;
const TYPING_LIMIT_MS = 20_000;
const REOPEN_DELAY_MS = 2_000;
const REPLAY_QUIET_MS = 1_000;
const NEAR_BOTTOM_PX = 60;
const STATES = {
  pending: ["pending", "Sending"],
  waiting: ["pending", "Held back"],
  posted: ["posted", "Sent"],
  sent: ["posted", "Sent"],
  delivered: ["delivered", "Delivered"],
  read: ["delivered", "Read"],
  failed: ["failed", "Not delivered"],
  undelivered: ["failed", "Not delivered"],
};

const { businessName } = document.body.dataset;
const fromTemplate = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);
const chats = new Map(); // number -> chat; kept while switching so that unsent messages stay

function chatOf(number) {
  if (!chats.has(number)) {
    const list = Object.assign(document.createElement("ol"), { className: "messages" });
    chats.set(number, { number, list, items: [], bySid: new Map(), queue: Promise.resolve() });
  }
  return chats.get(number);
}

// What was not delivered lives only in this page.
export function hasUnsent() {
  return [...chats.values()].some(({ items }) => items.some(({ state }) => state === "pending" || state === "failed"));
}

export class Phone {
  #chat = null;
  #stream = null;
  #connected = false;
  #following = true; // whether the view keeps to the newest message
  #lastScrollTop = 0;
  #unread = 0;
  #timers = {};

  constructor(customer, { onActive, onClose }) {
    this.element = fromTemplate("phone-template");
    this.part = (name) => this.element.querySelector(`[data-part="${name}"]`);
    this.input = this.part("input");
    this.#listen(onActive, onClose);
    this.use(customer);
  }

  get number() { return this.#chat.number; }
  get name() { return this.#chat.name; }

  use({ phone, name }) {
    const previous = this.#chat;
    this.#chat = chatOf(phone);
    this.#chat.name = name;
    this.part("customer").textContent = name;
    this.part("log").setAttribute("aria-label", `Conversation of ${name} with ${businessName}`);
    if (this.#chat === previous) return;
    this.#chat.list.id = this.element.querySelector("ol").id;
    this.element.querySelector("ol").replaceWith(this.#chat.list);
    this.part("hint").hidden = this.#chat.items.length > 0;
    this.#setTyping(false);
    this.follow();
    this.#openStream();
  }

  close() {
    this.#stream?.close();
    Object.values(this.#timers).forEach(clearTimeout);
    this.element.remove();
  }

  // ---- Sending ----
  say(text, more = {}) {
    const item = this.#createItem({ direction: "in", text, media: [], time: Date.now(), content: { text, ...more } });
    this.#append(item);
    this.#submit(item);
  }

  async sendPicture(file) {
    const form = new FormData();
    form.append("picture", file);
    const response = await fetch(PICTURES_URL, { method: "POST", body: form }).catch(() => null);
    const answer = await response?.json().catch(() => ({}));
    if (!response?.ok) return answer?.error ?? "The server did not take the picture.";
    const media = [`/local-whatsapp/media/${answer.picture}`];
    const item = this.#createItem({ direction: "in", text: "", media, time: Date.now(), content: answer });
    this.#append(item);
    this.#submit(item);
    return null;
  }

  sendPlace(location) {
    const lines = [`📍 ${location.latitude}, ${location.longitude}`, location.label].filter(Boolean);
    this.say(lines.join("\n"), { text: "", location });
  }

  #submit(item) {
    this.#setState(item, "pending");
    // One request after the other, so that the bot gets quick messages in the order they were typed.
    item.chat.queue = item.chat.queue.then(() => this.#post(item));
    this.follow();
    this.#setTyping(true);
  }

  async #post(item) {
    const { number: phone, name } = item.chat;
    try {
      const response = await fetch(MESSAGES_URL, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ phone, name, ...item.content }),
        signal: AbortSignal.timeout(POST_TIMEOUT_MS),
      });
      const answer = await response.json().catch(() => ({}));
      const failure = `The server answered with status ${response.status}. Look at its log, then retry.`;
      if (!response.ok) return this.#fail(item, answer.error ?? failure);
      item.chat.bySid.set(answer.sid, item);
      this.#setState(item, "posted");
    } catch {
      this.#fail(item, "The server did not answer. Check that it is running, then retry.");
    }
  }

  #fail(item, error) {
    this.#setState(item, "failed", error);
    if (item.chat === this.#chat && !this.#chat.items.some(({ state }) => state === "pending")) this.#setTyping(false);
  }

  #retry(item) {
    item.chat.items.splice(item.chat.items.indexOf(item), 1);
    this.#setTime(item, Date.now());
    this.#append(item); // moves it to the end, because that is when the bot gets it
    this.#submit(item);
    this.input.focus();
  }

  // ---- Receiving ----
  #openStream() {
    this.#stream?.close();
    clearTimeout(this.#timers.reopen);
    this.#setConnected(false);
    const owner = this.#chat;
    const stream = new EventSource(`${EVENTS_URL}?phone=${encodeURIComponent(owner.number)}`);
    this.#stream = stream;
    stream.addEventListener("open", () => this.#setConnected(true));
    stream.addEventListener("message", (event) => this.#receive(owner, JSON.parse(event.data)));
    stream.addEventListener("error", () => {
      this.#setConnected(false);
      // After an HTTP error, unlike after a broken connection, EventSource gives up for good.
      if (stream.readyState === EventSource.CLOSED) {
        this.#timers.reopen = setTimeout(() => this.#openStream(), REOPEN_DELAY_MS);
      }
    });
  }

  async #receive(owner, message) {
    // The echo may overtake the answer to its POST, and only that answer tells whose sid it is.
    if (message.direction === "in" && !owner.bySid.has(message.sid)) await owner.queue;
    const known = owner.bySid.get(message.sid) ?? this.#findLost(owner, message);
    if (known) this.#confirm(known, message);
    else if (owner === this.#chat) this.#show(message); // any other chat gets its history when opened
  }

  // A message whose answer got lost (a timeout, say) looks failed though the server has it.
  #findLost({ items }, { direction, body, sent_at: sentAt }) {
    const isLost = ({ state, text, time }) => state === "failed" && text === body.trim() && Date.parse(sentAt) > time - 2_000;
    return direction === "in" ? items.find(isLost) : undefined;
  }

  #confirm(item, { sid, sent_at: sentAt, status }) {
    item.chat.bySid.set(sid, item);
    if (item.state === status) return;
    if (item.direction === "in") this.#setTime(item, Date.parse(sentAt) || item.time);
    this.#setState(item, status || "delivered");
  }

  #show({ sid, direction, body, media, buttons, layout, status, sent_at: sentAt }) {
    const time = Date.parse(sentAt) || Date.now();
    const item = this.#createItem({ direction, text: body ?? "", media: media ?? [], buttons, layout, time });
    this.#chat.bySid.set(sid, item);
    this.#setState(item, status || "delivered");
    if (direction === "out") this.#setTyping(false);
    this.#append(item);
    if (!this.#following) this.#showUnread(this.#unread + 1);
  }

  // ---- Bubbles ----
  #createItem(message) {
    const element = fromTemplate("message-template");
    const part = (selector) => element.querySelector(selector);
    const item = { ...message, chat: this.#chat, element, part };
    const fromBot = item.direction === "out";
    element.classList.add(fromBot ? "from-bot" : "from-customer");
    element.classList.toggle("jumbo", FEW_EMOJI.test(item.text));
    part(".author").textContent = fromBot ? `${businessName}: ` : "You: ";
    const author = fromBot ? businessName : "you";
    part(".pictures").append(...item.media.map(safeUrl).filter(Boolean).map((href) => pictureLink(href, author)));
    appendFormatted(part(".body"), item.text);
    part(".retry").addEventListener("click", () => this.#retry(item));
    if (item.buttons?.length) element.append(this.#choices(item));
    this.#setTime(item, message.time);
    return item;
  }

  #choices({ buttons, layout }) {
    const box = Object.assign(document.createElement("div"), { className: "choices" });
    box.append(...buttons.map(([title, token]) => {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: title });
      button.addEventListener("click", () => this.say(title, { token, layout }));
      return button;
    }));
    if (layout !== "list") return box;
    const list = Object.assign(document.createElement("details"), { className: "list" });
    list.append(Object.assign(document.createElement("summary"), { textContent: "☰ Choose" }), box);
    return list;
  }

  #setTime(item, time) {
    item.time = time;
    item.part("time").dateTime = new Date(time).toISOString();
    item.part("time").textContent = new Date(time).toLocaleTimeString(LOCALE, { hour: "2-digit", minute: "2-digit" });
  }

  #setState(item, state, error = "") {
    const [icon, text] = STATES[state] ?? STATES.posted;
    item.state = item.element.dataset.state = state;
    item.part(".state-text").textContent = text;
    item.part(".state-icon use").setAttribute("href", `#icon-${icon}`);
    item.part(".failure").hidden = state !== "failed";
    item.part(".failure p").textContent = state === "failed" ? `Not delivered. ${error}` : "";
  }

  // Order of arrival is the right order: the stream is ordered, and own messages come as they are typed.
  #append(item) {
    const owner = item.chat;
    const day = new Date(item.time).toDateString();
    if (day !== owner.lastDay) owner.list.append(daySeparator(item.time));
    owner.lastDay = day;
    owner.items.push(item);
    owner.list.append(item.element);
    this.part("hint").hidden = true;
  }

  // ---- Presence, typing and scrolling ----
  #setConnected(isConnected) {
    this.#connected = isConnected;
    this.part("banner").hidden = isConnected;
    this.#showPresence();
    // Screen readers should read what is new, not the whole history that is replayed on connecting.
    clearTimeout(this.#timers.replay);
    const log = this.part("log");
    if (isConnected) this.#timers.replay = setTimeout(() => log.setAttribute("aria-live", "polite"), REPLAY_QUIET_MS);
    else log.setAttribute("aria-live", "off");
  }

  #setTyping(isTyping) {
    clearTimeout(this.#timers.typing);
    if (isTyping) this.#timers.typing = setTimeout(() => this.#setTyping(false), TYPING_LIMIT_MS);
    this.part("typing").hidden = !isTyping;
    this.#showPresence();
  }

  #showPresence() {
    const typing = !this.part("typing").hidden;
    this.part("presence").textContent = !this.#connected ? "connecting…" : typing ? "typing…" : "online";
  }

  follow() {
    this.#following = true;
    this.#showUnread(0);
    this.part("log").scrollTop = this.part("log").scrollHeight;
  }

  #showUnread(count) {
    this.#unread = count;
    this.part("new-messages").hidden = count === 0;
    this.part("new-label").textContent = count === 1 ? "1 new message" : `${count} new messages`;
  }

  #onScroll() {
    const log = this.part("log");
    const atBottom = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_BOTTOM_PX;
    // Only moving up means leaving the end: a message that just came also makes the end farther.
    if (atBottom || log.scrollTop < this.#lastScrollTop) this.#following = atBottom;
    if (atBottom) this.#showUnread(0);
    this.#lastScrollTop = log.scrollTop;
  }

  // ---- Composer ----
  #onSubmit(event) {
    event.preventDefault();
    const text = this.input.value.trim();
    this.input.value = "";
    this.#resizeInput();
    this.input.focus();
    if (text) this.say(text);
  }

  #resizeInput() {
    this.input.style.height = "auto";
    this.input.style.height = `${this.input.scrollHeight}px`;
  }

  #listen(onActive, onClose) {
    const { part, input, element } = this;
    const keepEnd = new ResizeObserver(() => this.#following && this.follow());
    [part("log"), part("thread")].forEach((each) => keepEnd.observe(each));
    part("log").addEventListener("scroll", () => this.#onScroll());
    input.addEventListener("input", () => this.#resizeInput());
    input.addEventListener("keydown", (event) => {
      // While a word is being composed (IME, some phone keyboards), Enter only accepts that word.
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) this.#onSubmit(event);
    });
    part("composer").addEventListener("submit", (event) => this.#onSubmit(event));
    part("send").addEventListener("pointerdown", (event) => event.preventDefault()); // keeps a phone's keyboard open
    part("new-messages").addEventListener("click", () => { this.follow(); input.focus(); });
    part("close").addEventListener("click", () => onClose(this));
    part("attach").popoverTargetElement = part("attachments");
    part("picture").addEventListener("change", async ({ target }) => {
      const [file] = target.files;
      target.value = "";
      part("attach-error").textContent = (file && await this.sendPicture(file)) ?? "";
      if (!part("attach-error").textContent) part("attachments").hidePopover();
    });
    part("place").addEventListener("submit", (event) => {
      event.preventDefault();
      this.sendPlace(Object.fromEntries(new FormData(event.target)));
      part("attachments").hidePopover();
    });
    element.addEventListener("focusin", () => onActive(this));
    element.addEventListener("pointerdown", () => onActive(this));
  }
}

function daySeparator(time) {
  const daysAgo = (new Date().setHours(0, 0, 0, 0) - new Date(time).setHours(0, 0, 0, 0)) / 86_400_000;
  const date = new Date(time).toLocaleDateString(LOCALE, { day: "numeric", month: "long", year: "numeric" });
  const textContent = ["Today", "Yesterday"][Math.round(daysAgo)] ?? date;
  return Object.assign(document.createElement("li"), { className: "day", textContent });
}
