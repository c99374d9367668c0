// The page: what one person sees, drawn again whenever the workspace changes.

import { drawBlocks, placeOf } from "./blocks.js";
import { confirmed, showView, toast } from "./dialogs.js";
import { fill, h } from "./dom.js";
import { mrkdwn } from "./mrkdwn.js";

const HOME = "home";
const wish = new URLSearchParams(location.search);
const me = { user: wish.get("user") || sessionStorage.user || "ana", place: wish.get("channel") || "", thread: wish.get("thread") };
const typed = [];
const viewFilled = {};
let seen = null;
let drawing = null;
let again = false;

const at = (id) => document.getElementById(id);

async function act(what) {
  const body = JSON.stringify({ user: me.user, ...what });
  try {
    const answer = await (await fetch("/page/act", { method: "POST", body })).json();
    if (answer.error) toast(answer.error);
    return answer;
  } catch {
    toast("The workspace does not answer. Is it still running?");
    return { error: "unreachable" };
  }
}

// One look at a time; whoever asks meanwhile waits for a look begun after they asked.
async function look() {
  again = true;
  drawing ||= lookWhileAsked();
  return drawing;
}

async function lookWhileAsked() {
  try {
    while (again) { again = false; await lookOnce(); }
  } finally { drawing = null; }
}

async function lookOnce() {
  const channel = me.place === HOME ? "" : me.place;
  const response = await fetch(`/page/state?user=${encodeURIComponent(me.user)}&channel=${encodeURIComponent(channel)}`);
  const state = await response.json();
  if (state.error) return toast(state.error);
  seen = state;
  if (me.place !== HOME) me.place = state.channel;
  draw();
}

function draw() {
  at("shell").classList.toggle("with-thread", Boolean(me.thread) && me.place !== HOME);
  drawSide();
  drawBar();
  me.place === HOME ? drawHome() : drawMessages();
  drawThread();
  showView(seen.view, scene({ view: seen.view?.id }, viewValues(seen.view)), { submit: submitView, close: () => act({ act: "close" }) });
}

// Sidebar

function drawSide() {
  const presence = at("presence");
  presence.textContent = seen.connected ? "app connected" : "app not connected";
  presence.classList.toggle("on", seen.connected);
  const room = (one) => place(one.id, one.private, one.name, one.direct && "@");
  fill(at("rooms"), h("div", { class: "label" }, "Channels"), seen.channels.map(room), h("div", { class: "label" }, "Apps"), place(HOME, false, "Home"));
  const people = Object.values(seen.people).filter((one) => !one.bot);
  fill(at("people"), people.map(person));
}

function place(id, locked, name, sign = "#") {
  const mark = id === HOME ? h("span", { class: "icon house" }) : locked ? h("span", { class: "icon lock" }) : sign || "#";
  const current = me.place === id;
  const go = () => { me.place = id; me.thread = null; if (id === HOME) act({ act: "home" }); look(); };
  return h("button", { type: "button", class: current ? "room current" : "room", "aria-current": current ? "page" : null, onclick: go }, h("span", { class: "room-mark", "aria-hidden": "true" }, mark), name);
}

function person(one) {
  const current = one.name === me.user;
  const become = () => { me.user = one.name; sessionStorage.user = one.name; me.thread = null; look(); };
  return h("button", { type: "button", role: "radio", "aria-checked": String(current), class: current ? "person current" : "person", onclick: become }, avatar(one), one.name);
}

function avatar(one) {
  const letters = one.bot ? "SP" : one.real_name.split(" ").map((word) => word[0]).join("").slice(0, 2);
  return h("span", { class: `avatar ${one.bot ? "bot" : "who-" + one.name}`, "aria-hidden": "true" }, one.name === "slackbot" ? "S" : letters);
}

function drawBar() {
  const room = seen.channels.find((one) => one.id === seen.channel);
  const title = me.place === HOME ? "Safe Prune" : [room.private ? h("span", { class: "icon lock" }) : room.direct ? "@" : "#", ` ${room.name}`];
  fill(at("bar"), h("h1", {}, title), h("span", { class: "bar-note" }, me.place === HOME ? "Home tab" : `you are ${me.user}`));
}

// Messages

function drawMessages() {
  at("composer").hidden = false;
  const roots = seen.messages.filter((one) => !one.thread_ts || one.thread_ts === one.ts || one.broadcast);
  const days = new Set();
  const rows = roots.map((one) => [dayLine(one, days), message(one, { replies: repliesTo(one) })]);
  const empty = h("div", { class: "empty" }, h("p", {}, "Nothing here yet."), h("p", {}, "Type ", h("code", {}, `${seen.commands[0]} help`), " below."));
  keepPlace(at("messages"), roots.length ? rows : empty);
}

function repliesTo(root) {
  return seen.messages.filter((one) => one.thread_ts === root.ts && one.ts !== root.ts);
}

function dayLine(one, days) {
  const day = new Date(Number(one.ts) * 1000).toDateString();
  if (days.has(day)) return null;
  days.add(day);
  const today = day === new Date().toDateString();
  return h("div", { class: "day" }, h("span", {}, today ? "Today" : day));
}

function keepPlace(box, ...children) {
  const stuck = box.scrollHeight - box.scrollTop - box.clientHeight < 60;
  const top = box.scrollTop;
  fill(box, ...children);
  box.scrollTop = stuck ? box.scrollHeight : top;
}

// A message that did not change keeps its element, and with it focus, selection and open menus.
const drawn = new Map();

function message(one, { replies = [], where = "main" } = {}) {
  const key = `${where} ${one.channel} ${one.ts}`;
  const mark = JSON.stringify([me.user, one.revision, one.files, replies.map((reply) => reply.ts)]);
  if (drawn.get(key)?.mark !== mark) drawn.set(key, { mark, element: messageElement(one, replies) });
  return drawn.get(key).element;
}

function messageElement(one, replies) {
  const author = seen.people[one.user];
  const content = one.blocks.length ? drawBlocks(one.blocks, scene(one, messageValues(one))) : h("div", { class: "b" }, mrkdwn(one.text, seen.names, seen.me));
  return h("article", { class: one.ephemeral ? "message only-you" : "message", "data-ts": one.ts },
    avatar(author),
    h("div", { class: "message-body" },
      one.ephemeral && h("div", { class: "only-note" }, "Only visible to you"),
      h("div", { class: "byline" }, h("strong", {}, author.bot && one.user !== "USLACKBOT" ? "Safe Prune" : author.real_name), author.bot && h("span", { class: "badge" }, "APP"), clock(one.ts), one.edited && h("span", { class: "edited" }, "edited")),
      h("div", { class: "content" }, content),
      one.files.map(file),
      replies.length ? threadLink(one, replies) : null));
}

function clock(ts) {
  const moment = new Date(Number(ts) * 1000);
  return h("time", { datetime: moment.toISOString() }, moment.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" }));
}

function file(one) {
  if (one.mimetype.startsWith("image/")) {
    return h("a", { class: "picture", href: one.permalink, target: "_blank" }, h("span", {}, one.title), h("img", { src: `/files/${one.id}`, alt: one.alt_txt ?? "" }));
  }
  return h("a", { class: "file", href: one.permalink, target: "_blank" }, h("strong", {}, one.title), h("span", {}, `${one.name} · ${one.size.toLocaleString("en")} bytes`));
}

function threadLink(root, replies) {
  const last = clock(replies[replies.length - 1].ts).textContent;
  const open = () => { me.thread = root.ts; draw(); };
  return h("button", { type: "button", class: "thread-link", onclick: open }, h("strong", {}, replies.length === 1 ? "1 reply" : `${replies.length} replies`), h("span", {}, `last at ${last} · view thread`));
}

function drawThread() {
  const root = seen.messages.find((one) => one.ts === me.thread);
  at("thread").hidden = !root || me.place === HOME;
  if (!root) return;
  const replies = repliesTo(root);
  keepPlace(at("replies"), message(root, { where: "thread" }), h("div", { class: "day" }, h("span", {}, replies.length === 1 ? "1 reply" : `${replies.length} replies`)), replies.map((one) => message(one, { where: "thread" })));
}

// A link to a message leads there in this page, as in Slack, and whoever looks stays who they are.
async function follow(event) {
  const link = event.target.closest?.("a[href]");
  if (!link || !link.href.startsWith(`${location.origin}/archives/`)) return;
  event.preventDefault();
  const answer = await fetch(link.href);
  if (!answer.ok) return toast(await answer.text());
  const found = new URL(answer.url).searchParams;
  me.place = found.get("channel");
  me.thread = found.get("thread");
  look();
}

function drawHome() {
  at("composer").hidden = true;
  const home = seen.home;
  const values = viewValues(home);
  keepPlace(at("messages"), home ? h("div", { class: "home" }, drawBlocks(home.body.blocks, scene({ view: home.id }, values))) : h("div", { class: "empty" }, h("p", {}, "The app has published nothing here yet.")));
}

// What one presses and fills in

function scene(target, { filled, fillIn }) {
  const where = "view" in target ? { view: target.view } : { channel: target.channel, ts: target.ts };
  return {
    key: target.view || target.ts, names: seen.names, me: seen.me, filled,
    people: () => Object.entries(seen.people).filter(([, one]) => !one.bot).map(([id, one]) => [id, one.real_name]),
    press: async ({ control, option, confirm, from }) => {
      if (confirm && !(await confirmed(confirm, seen.names))) return;
      if (from) { from.disabled = true; from.classList.add("busy"); }
      await act({ act: "click", ...where, control, option });
      if (from) { from.disabled = false; from.classList.remove("busy"); }
    },
    fill: (one, block, values) => fillIn(where, one, block, values),
  };
}

function remembered(states) {
  return Object.fromEntries(Object.entries(states || {}).map(([id, state]) => [id, plainValues(state)]));
}

function plainValues(state) {
  const options = state.selected_options || (state.selected_option ? [state.selected_option] : []);
  return options.map((option) => option.value).concat(state.value ?? []);
}

function messageValues(one) {
  return { filled: remembered(one.filled), fillIn: (where, element, block, values) => act({ act: "choose", ...where, control: placeOf(element, block), values }) };
}

function viewValues(view) {
  const own = view ? (viewFilled[view.id] ||= {}) : {};
  const fillIn = (where, element, block, values) => {
    own[placeOf(element, block)] = values;
    if (block.type !== "input" || block.dispatch_action) act({ act: "choose", ...where, control: placeOf(element, block), values });
  };
  const filled = Object.fromEntries(Object.entries(own).map(([id, value]) => [id, Array.isArray(value) ? value : [value]]));
  return { filled: { ...remembered(view?.filled), ...filled }, fillIn };
}

function submitView() {
  return act({ act: "submit", values: viewFilled[seen.view.id] || {} });
}

// Composers

function composer(form, hint, send) {
  const field = h("input", { type: "text", "aria-label": hint(), spellcheck: "false", autocapitalize: "off" });
  let back = 0;
  const submit = (event) => {
    event.preventDefault();
    const text = field.value.trim();
    if (!text) return;
    typed.push(text);
    back = 0;
    field.value = "";
    send(text);
  };
  const recall = (event) => {
    if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
    back = Math.min(typed.length, Math.max(0, back + (event.key === "ArrowUp" ? 1 : -1)));
    field.value = back ? typed[typed.length - back] : "";
    event.preventDefault();
  };
  field.addEventListener("keydown", recall);
  field.addEventListener("focus", () => { field.placeholder = hint(); });
  field.placeholder = hint();
  form.addEventListener("submit", submit);
  form.append(field, h("button", { type: "submit", class: "control primary" }, "Send"));
}

async function send(text, thread_ts) {
  if (!seen) await look();
  const kind = text.startsWith("/") && !thread_ts ? "command" : "say";
  return act({ act: kind, channel: seen.channel, text, thread_ts });
}

// Whoever read the end keeps reading the end when the window changes.
function stayAtEnd(box) {
  let stuck = true;
  box.addEventListener("scroll", () => { stuck = box.scrollHeight - box.scrollTop - box.clientHeight < 60; });
  new ResizeObserver(() => { if (stuck) box.scrollTop = box.scrollHeight; }).observe(box);
}

function start() {
  stayAtEnd(at("messages"));
  stayAtEnd(at("replies"));
  composer(at("composer"), () => `Type ${seen?.commands[0] || "/prune"} help or a message`, (text) => send(text));
  composer(at("reply"), () => "Reply", (text) => send(text, me.thread));
  at("close-thread").addEventListener("click", () => { me.thread = null; draw(); });
  document.addEventListener("click", follow);
  const stream = new EventSource("/page/changes");
  stream.onmessage = () => look().catch(() => {});
  look().then(() => at("composer").querySelector("input").focus());
}

start();
