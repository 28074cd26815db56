// Local WhatsApp: lets a person chat with the bot in the browser as if on a phone.
// Directions are the server's view: "in" is what the customer wrote, "out" is from the bot.

const MESSAGES_URL = "/local-whatsapp/messages";
const EVENTS_URL = "/local-whatsapp/events";
const STORAGE_KEY = "chatcart.local-whatsapp.customers";
const LOCALE = "en-GB"; // 24-hour times: the bubbles keep just that much room for them
const POST_TIMEOUT_MS = 30_000;
const TYPING_LIMIT_MS = 20_000;
const REOPEN_DELAY_MS = 2_000;
const REPLAY_QUIET_MS = 1_000;
const NEAR_BOTTOM_PX = 60;
const RECENT_LIMIT = 8;
const FIRST_NAMES = ["Ada", "Tunde", "Ngozi", "Emeka", "Zainab", "Bola", "Chidi", "Amina", "Femi", "Halima"];
const STATE_TEXTS = { pending: "Sending", posted: "Sent", delivered: "Delivered", failed: "Not delivered" };

const byId = (id) => document.getElementById(id);
const pick = (choices) => choices[Math.floor(Math.random() * choices.length)];
const { businessName, defaultPhone } = document.body.dataset;
const [log, input, phoneField, nameField] = ["log", "message-input", "customer-phone", "customer-name"].map(byId);

const chats = new Map(); // phone -> chat; kept while switching so that unsent messages stay
let chat = null; // the chat on the screen
let stream = null;
let connected = false;
let reopenTimer, replayTimer, typingTimer;
let following = true; // whether the view keeps to the newest message
let lastScrollTop = 0;
let unread = 0;
// The current customer comes first. Where localStorage is blocked the page only forgets on reload.
let customers = attempt(() => JSON.parse(localStorage.getItem(STORAGE_KEY))) ?? [];

function attempt(action) {
  try { return action(); } catch { return null; }
}

// ---- WhatsApp text: built from DOM nodes, because message text is not trusted ----
// Marks count only at word edges, as in WhatsApp: 2*3*4 and snake_case_name stay as they are.
const MARKUP = new RegExp([
  "```(?<mono>[^]+?)```",
  "(?<url>https?://(?:[^\\s<>\"()]|\\([^\\s<>\"()]*\\))+)",
  "(?<![\\p{L}\\p{N}])(?<mark>[*_~])(?!\\k<mark>)(?=\\S)(?<inner>.+?)(?<=\\S)\\k<mark>(?![\\p{L}\\p{N}])",
].join("|"), "giu");
const MARK_TAGS = { "*": "strong", "_": "em", "~": "s" };
const FEW_EMOJI = /^(?:\p{Extended_Pictographic}[\u{1F3FB}-\u{1F3FF}\uFE0F]*\s?){1,3}$/u;

function appendFormatted(parent, text) {
  let done = 0;
  for (const match of text.matchAll(MARKUP)) {
    const { mono, url, mark, inner } = match.groups;
    parent.append(text.slice(done, match.index));
    if (mono) parent.append(Object.assign(document.createElement("code"), { textContent: mono }));
    else if (url) appendLink(parent, url);
    else appendFormatted(parent.appendChild(document.createElement(MARK_TAGS[mark])), inner);
    done = match.index + match[0].length;
  }
  parent.append(text.slice(done));
}

function appendLink(parent, text) {
  // A full stop after an address belongs to the sentence, not to the address.
  const address = text.replace(/[.,!?;:'*_~\]]+$/, "");
  const href = safeUrl(address);
  parent.append(href ? newTabLink(href, address) : address, text.slice(address.length));
}

function safeUrl(text) {
  const url = attempt(() => new URL(text, location.href));
  return ["http:", "https:"].includes(url?.protocol) ? url.href : null;
}

function newTabLink(href, content) {
  const link = Object.assign(document.createElement("a"), { href, target: "_blank", rel: "noopener" });
  link.append(content);
  return link;
}

function pictureLink(href) {
  const picture = Object.assign(document.createElement("img"), { src: href, alt: `Picture from ${businessName}` });
  const link = newTabLink(href, picture);
  // Bots also send documents and audio; a link is the useful thing to show for those.
  picture.addEventListener("error", () => link.replaceChildren("📎 Open attachment"));
  return link;
}

// ---- Bubbles ----
function createItem(message) {
  const element = byId("message-template").content.firstElementChild.cloneNode(true);
  const part = (selector) => element.querySelector(selector);
  const item = { ...message, element, part };
  const fromBot = item.direction === "out";
  element.classList.add(fromBot ? "from-bot" : "from-customer");
  element.classList.toggle("jumbo", FEW_EMOJI.test(item.text));
  part(".author").textContent = fromBot ? `${businessName}: ` : "You: ";
  part(".pictures").append(...item.media.map(safeUrl).filter(Boolean).map(pictureLink));
  appendFormatted(part(".body"), item.text);
  part(".retry").addEventListener("click", () => retry(item));
  if (fromBot) part(".state-icon").remove();
  setTime(item, message.time);
  return item;
}

function setTime(item, time) {
  item.time = time;
  item.part("time").dateTime = new Date(time).toISOString();
  item.part("time").textContent = new Date(time).toLocaleTimeString(LOCALE, { hour: "2-digit", minute: "2-digit" });
}

function setState(item, state, error = "") {
  const { part } = item;
  item.state = item.element.dataset.state = state;
  part(".state-text").textContent = STATE_TEXTS[state];
  part(".state-icon use").setAttribute("href", `#icon-${state}`);
  part(".failure").hidden = state !== "failed";
  part(".failure p").textContent = state === "failed" ? `Not delivered. ${error}` : "";
}

// Order of arrival is the right order: the stream is ordered, and own messages come as they are typed.
function append(item) {
  const owner = item.chat;
  const day = new Date(item.time).toDateString();
  if (day !== owner.lastDay) owner.list.append(daySeparator(item.time));
  owner.lastDay = day;
  owner.items.push(item);
  owner.list.append(item.element);
  byId("hint").hidden = true;
}

function daySeparator(time) {
  const daysAgo = (new Date().setHours(0, 0, 0, 0) - new Date(time).setHours(0, 0, 0, 0)) / 86_400_000;
  const date = new Date(time).toLocaleDateString(LOCALE, { day: "numeric", month: "long", year: "numeric" });
  const textContent = ["Today", "Yesterday"][Math.round(daysAgo)] ?? date;
  return Object.assign(document.createElement("li"), { className: "day", textContent });
}

// ---- Sending ----
function submit(item) {
  setState(item, "pending");
  // One request after the other, so that the bot gets quick messages in the order they were typed.
  item.chat.queue = item.chat.queue.then(() => post(item));
  follow();
  setTyping(true);
}

function retry(item) {
  item.chat.items.splice(item.chat.items.indexOf(item), 1);
  setTime(item, Date.now());
  append(item); // moves it to the end, because that is when the bot gets it
  submit(item);
  input.focus();
}

async function post(item) {
  const { phone, name } = item.chat;
  try {
    const response = await fetch(MESSAGES_URL, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ phone, name, text: item.text }),
      signal: AbortSignal.timeout(POST_TIMEOUT_MS),
    });
    const answer = await response.json().catch(() => ({}));
    const failure = `The server answered with status ${response.status}. Look at its log, then retry.`;
    if (!response.ok) return fail(item, answer.error ?? failure);
    item.chat.bySid.set(answer.sid, item);
    setState(item, "posted");
  } catch {
    fail(item, "The server did not answer. Check that it is running, then retry.");
  }
}

function fail(item, error) {
  setState(item, "failed", error);
  if (item.chat === chat && !chat.items.some(({ state }) => state === "pending")) setTyping(false);
}

// ---- Receiving ----
async function receive(owner, message) {
  // The echo may overtake the answer to its POST, and only that answer tells whose sid it is.
  if (message.direction === "in" && !owner.bySid.has(message.sid)) await owner.queue;
  const known = owner.bySid.get(message.sid) ?? findLost(owner, message);
  if (known) confirmDelivery(known, message);
  else if (owner === chat) show(owner, message); // any other chat gets its history again when opened
}

// A message whose answer got lost (a timeout, say) looks failed though the server has it.
function findLost({ items }, { direction, body, sent_at: sentAt }) {
  const isLost = (item) => item.state === "failed" && item.text === body.trim() && Date.parse(sentAt) > item.time - 2_000;
  return direction === "in" ? items.find(isLost) : undefined;
}

function confirmDelivery(item, { sid, sent_at: sentAt }) {
  if (item.direction === "out" || item.state === "delivered") return;
  item.chat.bySid.set(sid, item);
  setTime(item, Date.parse(sentAt) || item.time);
  setState(item, "delivered");
}

function show(owner, { sid, direction, body, media, sent_at: sentAt }) {
  const time = Date.parse(sentAt) || Date.now();
  const item = createItem({ chat: owner, direction, text: body ?? "", media: media ?? [], time });
  owner.bySid.set(sid, item);
  if (direction === "in") setState(item, "delivered");
  else setTyping(false);
  append(item);
  if (!following) showUnread(unread + 1);
}

function openStream() {
  stream?.close();
  clearTimeout(reopenTimer);
  setConnected(false);
  const owner = chat;
  stream = new EventSource(`${EVENTS_URL}?phone=${encodeURIComponent(owner.phone)}`);
  stream.addEventListener("open", () => setConnected(true));
  stream.addEventListener("message", (event) => receive(owner, JSON.parse(event.data)));
  stream.addEventListener("error", () => {
    setConnected(false);
    // After an HTTP error, unlike after a broken connection, EventSource gives up for good.
    if (stream.readyState === EventSource.CLOSED) reopenTimer = setTimeout(openStream, REOPEN_DELAY_MS);
  });
}

// ---- Presence, typing and scrolling ----
function setConnected(isConnected) {
  connected = isConnected;
  byId("banner").hidden = connected;
  showPresence();
  // Screen readers should read what is new, not the whole history that is replayed on connecting.
  clearTimeout(replayTimer);
  if (connected) replayTimer = setTimeout(() => log.setAttribute("aria-live", "polite"), REPLAY_QUIET_MS);
  else log.setAttribute("aria-live", "off");
}

function setTyping(isTyping) {
  clearTimeout(typingTimer);
  if (isTyping) typingTimer = setTimeout(setTyping, TYPING_LIMIT_MS, false);
  byId("typing").hidden = !isTyping;
  showPresence();
}

function showPresence() {
  byId("presence").textContent = !connected ? "connecting…" : byId("typing").hidden ? "online" : "typing…";
}

function follow() {
  following = true;
  showUnread(0);
  log.scrollTop = log.scrollHeight;
}

function showUnread(count) {
  unread = count;
  byId("new-messages").hidden = count === 0;
  byId("new-messages-label").textContent = count === 1 ? "1 new message" : `${count} new messages`;
}

function onScroll() {
  const atBottom = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_BOTTOM_PX;
  // Only moving up means leaving the end: a message that just came also makes the end farther.
  if (atBottom || log.scrollTop < lastScrollTop) following = atBottom;
  if (atBottom) showUnread(0);
  lastScrollTop = log.scrollTop;
}

// ---- Composer and customers ----
function resizeInput() {
  input.style.height = "auto";
  input.style.height = `${input.scrollHeight}px`;
}

function onComposerSubmit(event) {
  event.preventDefault();
  const text = input.value.trim();
  input.value = "";
  resizeInput();
  input.focus();
  if (!text) return;
  const item = createItem({ chat, direction: "in", text, media: [], time: Date.now() });
  append(item);
  submit(item);
}

function createChat(phone) {
  const list = Object.assign(document.createElement("ol"), { id: "messages", className: "messages" });
  const owner = { phone, list, items: [], bySid: new Map(), queue: Promise.resolve() };
  chats.set(phone, owner);
  return owner;
}

function useCustomer({ phone, name }) {
  customers = [{ phone, name }, ...customers.filter((other) => other.phone !== phone)].slice(0, RECENT_LIMIT);
  attempt(() => localStorage.setItem(STORAGE_KEY, JSON.stringify(customers)));
  byId("recent").hidden = customers.length < 2;
  byId("recent-list").replaceChildren(...customers.map((each) => new Option(`${each.name} · ${each.phone}`, each.phone)));
  [phoneField.value, nameField.value, byId("current-name").textContent] = [phone, name, name];
  const previous = chat;
  chat = chats.get(phone) ?? createChat(phone);
  chat.name = name;
  byId("customer-panel").hidePopover();
  input.focus();
  if (chat === previous) return;
  byId("messages").replaceWith(chat.list);
  byId("hint").hidden = chat.items.length > 0;
  setTyping(false);
  follow();
  openStream();
}

function onCustomerSubmit(event) {
  event.preventDefault();
  // People here write 0803 123 4567 or 234803… as well as +234803….
  const digits = phoneField.value.replace(/\D/g, "").replace(/^00/, "").replace(/^0/, "234");
  useCustomer({ phone: `+${digits}`, name: nameField.value.trim() || pick(FIRST_NAMES) });
}

function newCustomer() {
  // After +23480 comes one of the digits in use for mobiles; 0800 would be toll-free.
  const phone = `+23480${pick("2356789")}${Array.from({ length: 7 }, () => pick("0123456789")).join("")}`;
  useCustomer({ phone, name: pick(FIRST_NAMES.filter((name) => name !== chat.name)) });
}

// What was not delivered lives only in this page.
function onLeave(event) {
  const isUnsent = ({ state }) => state === "pending" || state === "failed";
  if ([...chats.values()].some(({ items }) => items.some(isUnsent))) event.preventDefault();
}

function onInputKey(event) {
  // While a word is being composed (IME, some phone keyboards), Enter only accepts that word.
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) onComposerSubmit(event);
}

// ---- Start ----
const keepEnd = new ResizeObserver(() => following && follow());
[log, byId("thread")].forEach((element) => keepEnd.observe(element));
log.addEventListener("scroll", onScroll);
input.addEventListener("input", resizeInput);
input.addEventListener("keydown", onInputKey);
byId("composer").addEventListener("submit", onComposerSubmit);
byId("send").addEventListener("pointerdown", (event) => event.preventDefault()); // keeps a phone's keyboard open
byId("new-messages").addEventListener("click", () => { follow(); input.focus(); });
byId("customer-form").addEventListener("submit", onCustomerSubmit);
byId("new-customer").addEventListener("click", newCustomer);
byId("recent-list").addEventListener("change", ({ target }) => {
  ({ phone: phoneField.value, name: nameField.value } = customers[target.selectedIndex]);
});
window.addEventListener("beforeunload", onLeave);
useCustomer(customers[0] ?? { phone: defaultPhone, name: FIRST_NAMES[0] });
