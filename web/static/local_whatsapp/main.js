// The page: up to three phones side by side, who has them, and the drawer of what real life does to messages.

import { attempt } from "./markup.js";
import { Phone, hasUnsent } from "./phone.js";

const CONTROLS_URL = "/local-whatsapp/controls";
const STORAGE_KEY = "chatcart.local-whatsapp.customers";
const RECENT_LIMIT = 8;
const MOST_PHONES = 3;
const FIRST_NAMES = ["Ada", "Tunde", "Ngozi", "Emeka", "Zainab", "Bola", "Chidi", "Amina", "Femi", "Halima"];

const byId = (id) => document.getElementById(id);
const pick = (choices) => choices[Math.floor(Math.random() * choices.length)];
const [phoneField, nameField] = ["customer-phone", "customer-name"].map(byId);
const phones = [];
let active = null;
// The current customer comes first. Where localStorage is blocked the page only forgets on reload.
let customers = attempt(() => JSON.parse(localStorage.getItem(STORAGE_KEY))) ?? [];

// ---- Customers ----
function remember({ phone, name }) {
  customers = [{ phone, name }, ...customers.filter((other) => other.phone !== phone)].slice(0, RECENT_LIMIT);
  attempt(() => localStorage.setItem(STORAGE_KEY, JSON.stringify(customers)));
  byId("recent").hidden = customers.length < 2;
  byId("recent-list").replaceChildren(...customers.map((each) => new Option(`${each.name} · ${each.phone}`, each.phone)));
}

function newCustomer() {
  // After +23480 comes one of the digits in use for mobiles; 0800 would be toll-free.
  const phone = `+23480${pick("2356789")}${Array.from({ length: 7 }, () => pick("0123456789")).join("")}`;
  const taken = phones.map(({ name }) => name);
  return { phone, name: pick(FIRST_NAMES.filter((name) => !taken.includes(name))) };
}

function useCustomer(customer) {
  const already = phones.find(({ number }) => number === customer.phone);
  if (already && already !== active) return activate(already);
  active.use(customer);
  remember(customer);
  activate(active);
  if (byId("customer-panel").matches(":popover-open")) byId("customer-panel").hidePopover();
  active.input.focus();
}

function onCustomerSubmit(event) {
  event.preventDefault();
  // People here write 0803 123 4567 or 234803… as well as +234803….
  const digits = phoneField.value.replace(/\D/g, "").replace(/^00/, "").replace(/^0/, "234");
  useCustomer({ phone: `+${digits}`, name: nameField.value.trim() || pick(FIRST_NAMES) });
}

// ---- Phones ----
function addPhone(customer) {
  const phone = new Phone(customer, { onActive: activate, onClose: closePhone });
  phones.push(phone);
  byId("phones").append(phone.element);
  remember(customer);
  activate(phone);
  phone.follow();
}

function closePhone(phone) {
  phones.splice(phones.indexOf(phone), 1);
  phone.close();
  activate(phones[0]);
}

function activate(phone) {
  const changed = active !== phone;
  active = phone;
  phones.forEach((each) => each.element.classList.toggle("active", each === phone));
  byId("phones").classList.toggle("several", phones.length > 1);
  byId("add-phone").disabled = phones.length >= MOST_PHONES;
  byId("tabs").hidden = phones.length < 2;
  byId("tabs").replaceChildren(...phones.map((each) => tab(each)));
  [phoneField.value, nameField.value] = [phone.number, phone.name];
  byId("current-name").textContent = phone.name;
  byId("whose").textContent = phone.name;
  showDownload();
  if (changed) byId("told").textContent = "";
}

function tab(phone) {
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: phone.name });
  button.setAttribute("aria-pressed", String(phone === active));
  button.addEventListener("click", () => { activate(phone); phone.follow(); });
  return button;
}

// ---- The drawer ----
async function control(action, more = {}) {
  const response = await fetch(CONTROLS_URL, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ phone: active.number, action, ...more }),
  }).catch(() => null);
  const answer = (await response?.json().catch(() => null)) ?? { error: "The server did not answer." };
  byId("told").textContent = answer.told ?? answer.error;
}

function showDownload() {
  const title = byId("record-title").value.trim();
  byId("download").href = `/local-whatsapp/transcript?${new URLSearchParams({ phone: active.number, name: active.name, title })}`;
}

byId("controls").addEventListener("click", ({ target }) => {
  const button = target.closest("button[data-action]");
  if (button) control(button.dataset.action, button.dataset.order ? { order: button.dataset.order } : {});
});
byId("fail-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const { kind, count } = Object.fromEntries(new FormData(event.target));
  control("fail", { kind, count: Number(count) });
});
byId("record-title").addEventListener("input", showDownload);
byId("customer-form").addEventListener("submit", onCustomerSubmit);
byId("new-customer").addEventListener("click", () => useCustomer(newCustomer()));
byId("add-phone").addEventListener("click", () => addPhone(newCustomer()));
byId("recent-list").addEventListener("change", ({ target }) => {
  ({ phone: phoneField.value, name: nameField.value } = customers[target.selectedIndex]);
});
window.addEventListener("beforeunload", (event) => { if (hasUnsent()) event.preventDefault(); });

// ---- Start ----
addPhone(customers[0] ?? { phone: document.body.dataset.defaultPhone, name: FIRST_NAMES[0] });
// The first phone's parts have names by which links and tests find them.
for (const [selector, id] of [[".messages", "messages"], ["textarea", "message-input"], [".send", "send"]]) {
  active.element.querySelector(selector).id = id;
}
active.input.focus();
