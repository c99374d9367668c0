// Slack's mrkdwn and rich_text as elements. `names` maps ids to names, `me` is highlighted.

import { h } from "./dom.js";

const MARKS = [
  { pattern: /```\n?([\s\S]*?)\n?```/, draw: (inside) => h("pre", {}, unescape(inside)) },
  { pattern: /`([^`\n]+)`/, draw: (inside) => h("code", {}, unescape(inside)) },
  { pattern: /<([^<>]+)>/, draw: (inside, names, me) => token(inside, names, me) },
  { pattern: /(?<![\w*])\*(\S(?:[^*\n]*\S)?)\*(?![\w*])/, draw: (inside, names, me) => h("strong", {}, mrkdwn(inside, names, me)) },
  { pattern: /(?<![\w_])_(\S(?:[^_\n]*\S)?)_(?![\w_])/, draw: (inside, names, me) => h("em", {}, mrkdwn(inside, names, me)) },
  { pattern: /(?<![\w~])~(\S(?:[^~\n]*\S)?)~(?![\w~])/, draw: (inside, names, me) => h("s", {}, mrkdwn(inside, names, me)) },
];

export function unescape(text) {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

export function mrkdwn(text, names, me) {
  return marked(text, names, me);
}

// The mark that begins first: bold may hold code, and no style begins within code.
function marked(text, names, me) {
  const found = MARKS.map(({ pattern, draw }) => ({ draw, at: pattern.exec(text) })).filter((one) => one.at);
  if (!found.length) return quoted(text);
  const { draw, at } = found.reduce((first, one) => (one.at.index < first.at.index ? one : first));
  return [
    quoted(text.slice(0, at.index)),
    draw(at[1], names, me),
    marked(text.slice(at.index + at[0].length), names, me),
  ];
}

function quoted(text) {
  return text.split("\n").map((line, index) => [
    index ? h("br") : null,
    line.startsWith("&gt; ") ? h("q", {}, unescape(line.slice(5))) : unescape(line),
  ]);
}

function token(inside, names, me) {
  const [body, label] = split(inside);
  if (body.startsWith("!date^")) return dateToken(body, label);
  if (body.startsWith("!subteam^")) return mention("@" + (label || names[body.slice(9)] || body.slice(9)), false);
  if (body[0] === "@" || body[0] === "#") return mention(body[0] + (label || names[body.slice(1)] || body.slice(1)), body.slice(1) === me);
  if (body[0] === "!") return mention("@" + (label || body.slice(1)), true);
  return link(body, label || body);
}

function split(inside) {
  const at = inside.indexOf("|");
  return at < 0 ? [inside, ""] : [inside.slice(0, at), inside.slice(at + 1)];
}

function mention(text, mine) {
  return h("span", { class: mine ? "mention mine" : "mention" }, unescape(text));
}

function link(url, text) {
  const safe = /^(https?|mailto):/.test(url);
  return safe ? h("a", { href: url, target: "_blank", rel: "noreferrer" }, unescape(text)) : unescape(text);
}

function dateToken(body, fallback) {
  const [, seconds, form, url] = body.split("^");
  const moment = new Date(Number(seconds) * 1000);
  if (Number.isNaN(moment.getTime())) return fallback;
  const written = time(moment, formatDate(moment, form));
  return url ? h("a", { href: url }, written) : written;
}

function time(moment, text) {
  return h("time", { datetime: moment.toISOString(), title: moment.toString() }, text);
}

export function formatDate(moment, form) {
  const style = (options) => new Intl.DateTimeFormat("en-GB", options).format(moment);
  const long = style({ day: "numeric", month: "long", year: "numeric" });
  const pretty = relativeDay(moment);
  const tokens = {
    date_num: () => moment.toISOString().slice(0, 10),
    date: () => long,
    date_pretty: () => pretty || long,
    date_short: () => style({ day: "numeric", month: "short", year: "numeric" }),
    date_short_pretty: () => pretty || style({ day: "numeric", month: "short", year: "numeric" }),
    date_long: () => style({ weekday: "long", day: "numeric", month: "long", year: "numeric" }),
    date_long_pretty: () => pretty || style({ weekday: "long", day: "numeric", month: "long", year: "numeric" }),
    day_divider_pretty: () => pretty || style({ weekday: "long", day: "numeric", month: "long" }),
    time: () => style({ hour: "2-digit", minute: "2-digit" }),
    time_secs: () => style({ hour: "2-digit", minute: "2-digit", second: "2-digit" }),
    ago: () => ago(moment),
  };
  return form.replace(/\{(\w+)\}/g, (whole, name) => (tokens[name] ? tokens[name]() : whole));
}

function relativeDay(moment) {
  const day = (date) => new Date(date).setHours(0, 0, 0, 0);
  const apart = Math.round((day(moment) - day(Date.now())) / 86400000);
  return { "-1": "yesterday", 0: "today", 1: "tomorrow" }[apart] || "";
}

function ago(moment) {
  const minutes = Math.round((moment - Date.now()) / 60000);
  const words = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  if (Math.abs(minutes) < 60) return words.format(minutes, "minute");
  if (Math.abs(minutes) < 1440) return words.format(Math.round(minutes / 60), "hour");
  return words.format(Math.round(minutes / 1440), "day");
}

export function textObject(value, names, me) {
  if (!value) return [];
  if (typeof value === "string") return [unescape(value)];
  return value.type === "mrkdwn" ? mrkdwn(value.text, names, me) : quoted(value.text);
}

export function richText(block, names, me) {
  return (block?.elements || []).map((part) => richPart(part, names, me));
}

function richPart(part, names, me) {
  const leaves = () => (part.elements || []).map((leaf) => richLeaf(leaf, names, me));
  if (part.type === "rich_text_preformatted") return h("pre", {}, leaves());
  if (part.type === "rich_text_quote") return h("blockquote", {}, leaves());
  if (part.type !== "rich_text_list") return h("div", { class: "rich" }, leaves());
  const entries = part.elements.map((one) => h("li", {}, one.elements.map((leaf) => richLeaf(leaf, names, me))));
  return h(part.style === "ordered" ? "ol" : "ul", { style: `margin-left:${(part.indent || 0) * 20}px` }, entries);
}

function richLeaf(leaf, names, me) {
  switch (leaf.type) {
    case "link": return styled(link(leaf.url, leaf.text || leaf.url), leaf.style);
    case "user": return mention("@" + (names[leaf.user_id] || leaf.user_id), leaf.user_id === me);
    case "usergroup": return mention("@" + (names[leaf.usergroup_id] || leaf.usergroup_id), false);
    case "channel": return mention("#" + (names[leaf.channel_id] || leaf.channel_id), false);
    case "broadcast": return mention("@" + leaf.range, true);
    case "emoji": return `:${leaf.name}:`;
    case "date": { const moment = new Date(leaf.timestamp * 1000); const written = time(moment, formatDate(moment, leaf.format)); return leaf.url ? h("a", { href: leaf.url, target: "_blank", rel: "noreferrer" }, written) : written; }
    case "tag": return h("span", { class: "tag" }, leaf.text || "");
    default: return styled(lines(leaf.text || ""), leaf.style);
  }
}

function lines(text) {
  return h("span", { class: "kept" }, text);
}

function styled(element, style = {}) {
  const wraps = { code: "code", bold: "strong", italic: "em", strike: "s" };
  return Object.entries(wraps).reduce((inside, [name, tag]) => (style[name] ? h(tag, {}, inside) : inside), element);
}
