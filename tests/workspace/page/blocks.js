// Block Kit as elements. `context` says whose eyes these are and what to do with a click.

import { h } from "./dom.js";
import { mrkdwn, richText, textObject, unescape } from "./mrkdwn.js";

const opened = new Map();

export function drawBlocks(blocks, context) {
  return blocks.map((block, index) => drawBlock(block, { ...context, key: `${context.key}/${index}` }));
}

function drawBlock(block, context) {
  const draw = DRAW[block.type];
  return draw ? draw(block, context) : h("div", { class: "b unknown" }, `(${block.type})`);
}

const text = (value, context) => textObject(value, context.names, context.me);

function section(block, context) {
  const fields = (block.fields || []).map((field) => h("div", { class: "field" }, text(field, context)));
  const body = h("div", { class: "section-body" },
    block.text && h("div", { class: "section-text" }, text(block.text, context)),
    fields.length > 0 && h("div", { class: "fields" }, fields));
  const accessory = block.accessory && h("div", { class: "accessory" }, element(block.accessory, block, context));
  return h("div", { class: "b section" }, body, accessory);
}

function context(block, scene) {
  const parts = block.elements.map((one) => (one.type === "image" ? image(one) : h("span", {}, text(one, scene))));
  return h("div", { class: "b context" }, parts);
}

function actions(block, scene) {
  return h("div", { class: "b actions" }, block.elements.map((one) => element(one, block, scene)));
}

function input(block, scene) {
  const error = scene.errors?.[block.block_id];
  const optional = block.optional ? h("span", { class: "optional" }, " (optional)") : null;
  return h("div", { class: error ? "b input wrong" : "b input" },
    h("label", { for: `${scene.key}-${block.element.action_id}` }, text(block.label, scene), optional),
    element(block.element, block, scene),
    block.hint && h("div", { class: "hint" }, text(block.hint, scene)),
    error && h("div", { class: "error" }, error));
}

function image(block) {
  const local = (block.image_url || "").startsWith(location.origin);
  return local ? h("img", { src: block.image_url, alt: block.alt_text }) : h("span", { class: "image" }, block.alt_text);
}

function table(block, scene) {
  const side = (column) => (block.column_settings?.[column]?.align || "left");
  const wrapped = (column) => block.column_settings?.[column]?.is_wrapped;
  const cell = (tag) => (one, column) =>
    h(tag, { class: `${side(column)}${wrapped(column) ? " wrapped" : ""}`, scope: tag === "th" ? "col" : null }, cellText(one, scene));
  const [head, ...rows] = block.rows;
  return h("div", { class: "b table", tabindex: "0" }, h("table", {},
    h("thead", {}, h("tr", {}, head.map(cell("th")))),
    h("tbody", {}, rows.map((row) => h("tr", {}, row.map(cell("td")))))));
}

function cellText(cell, scene) {
  return cell.type === "rich_text" ? richText(cell, scene.names, scene.me) : unescape(String(cell.text ?? cell.value ?? ""));
}

const STATUS = { pending: "not started", in_progress: "under way", complete: "done", error: "failed" };

function task(block, scene) {
  const status = block.status || "pending";
  const mark = h("span", { class: `mark ${status}`, role: "img", "aria-label": STATUS[status] });
  const more = ["details", "output"].filter((key) => block[key]).map((key) => h("div", { class: "task-more" }, richText(block[key], scene.names, scene.me)));
  return h("li", { class: `task ${status}` }, mark, h("div", {}, h("div", { class: "task-title" }, block.title), more));
}

function plan(block, scene) {
  const tasks = block.tasks || [];
  const done = tasks.filter((one) => one.status === "complete").length;
  const count = tasks.length > 1 ? h("span", { class: "count" }, `${done} of ${tasks.length}`) : null;
  return h("div", { class: "b plan" }, h("div", { class: "plan-title" }, block.title, count),
    h("ul", {}, tasks.map((one) => task(one, scene))));
}

function container(block, scene) {
  const title = block.rich_text_title ? richText(block.rich_text_title, scene.names, scene.me) : text(block.title, scene);
  const subtitle = block.subtitle && h("span", { class: "subtitle" }, text(block.subtitle, scene));
  const inside = drawBlocks(block.child_blocks, scene);
  if (!block.is_collapsible) return h("section", { class: "b container" }, h("div", { class: "container-title" }, title, subtitle), inside);
  const open = opened.get(scene.key) ?? !block.default_collapsed;
  const toggle = (event) => opened.set(scene.key, event.target.open);
  return h("details", { class: "b container", open, ontoggle: toggle }, h("summary", { class: "container-title" }, title, subtitle), inside);
}

function card(block, scene) {
  const parts = ["title", "subtitle", "body"].map((key) => block[key] && h("div", { class: `card-${key}` }, text(block[key], scene)));
  const buttons = (block.actions || []).map((one) => element(one, block, scene));
  return h("div", { class: "b card" }, parts, buttons.length ? h("div", { class: "actions" }, buttons) : null);
}

const LEVELS = { info: "Note", warning: "Warning", error: "Error", success: "Success" };

function alert(block, scene) {
  const level = block.level || "default";
  const word = LEVELS[level] && h("strong", {}, `${LEVELS[level]}: `);
  return h("div", { class: `b alert ${level}`, role: "note" }, word, text(block.text, scene));
}

function markdown(block, scene) {
  const lines = block.text.split("\n").map((line) => markdownLine(line, scene));
  return h("div", { class: "b markdown" }, lines);
}

function markdownLine(line, scene) {
  const heading = /^#{1,6}\s+(.*)/.exec(line);
  const bullet = /^\s*[-*]\s+(.*)/.exec(line);
  const inline = (value) => mrkdwn(value.replace(/\*\*(.+?)\*\*/g, "*$1*").replace(/\[(.+?)\]\((.+?)\)/g, "<$2|$1>"), scene.names, scene.me);
  if (heading) return h("div", { class: "md-heading" }, inline(heading[1]));
  if (bullet) return h("div", { class: "md-bullet" }, "• ", inline(bullet[1]));
  return h("div", { class: "md-line" }, inline(line));
}

const DRAW = {
  section, context, actions, input, table, plan, container, card, alert, markdown,
  context_actions: actions,
  data_table: table,
  divider: () => h("hr", { class: "b" }),
  header: (block) => h("h3", { class: "b header" }, unescape(block.text.text)),
  image: (block, scene) => h("figure", { class: "b" }, block.title && h("figcaption", {}, text(block.title, scene)), image(block)),
  rich_text: (block, scene) => h("div", { class: "b rich-text" }, richText(block, scene.names, scene.me)),
  task_card: (block, scene) => h("ul", { class: "b plan loose" }, task(block, scene)),
  carousel: (block, scene) => h("div", { class: "b carousel" }, block.elements.map((one) => card(one, scene))),
};

// Elements: what one can press or fill in.

// Which control it is: several blocks may have one of the same action_id.
export const placeOf = (one, block) => `${block.block_id ?? ""} ${one.action_id}`;

function element(one, block, scene) {
  const draw = ELEMENTS[one.type];
  return draw ? draw(one, block, scene) : h("span", { class: "unknown" }, `(${one.type})`);
}

function button(one, block, scene) {
  const press = (event) => scene.press({ control: placeOf(one, block), confirm: one.confirm, from: event.currentTarget });
  return h("button", {
    type: "button", class: `control ${one.style || "plain"}`, "data-action": one.action_id,
    "aria-label": one.accessibility_label || null, onclick: press,
  }, unescape(one.text.text));
}

function overflow(one, block, scene) {
  const pick = (option) => (event) => {
    event.currentTarget.closest("details").open = false;
    scene.press({ control: placeOf(one, block), option: option.value, confirm: one.confirm });
  };
  const entries = one.options.map((option) => h("button", { type: "button", onclick: pick(option) }, unescape(option.text.text)));
  return h("details", { class: "menu" }, h("summary", { class: "control plain", "aria-label": "More actions" }, "⋯"), h("div", { class: "menu-list" }, entries));
}

function allOptions(one) {
  return [...(one.options || []), ...(one.option_groups || []).flatMap((group) => group.options)];
}

function select(one, block, scene) {
  const many = one.type.startsWith("multi_");
  const options = one.type.includes("users") ? scene.people() : allOptions(one).map((option) => [option.value, unescape(option.text.text)]);
  const chosen = scene.filled[placeOf(one, block)] || initial(one);
  const picked = (option) => chosen.includes(option);
  const placeholder = !many && h("option", { value: "", selected: !chosen.length, disabled: true }, one.placeholder ? unescape(one.placeholder.text) : "Select");
  const change = (event) => {
    const values = [...event.target.selectedOptions].map((option) => option.value).filter(Boolean);
    scene.fill(one, block, many ? values : values[0] ?? null);
  };
  return h("select", { id: `${scene.key}-${one.action_id}`, multiple: many, onchange: change, "aria-label": one.placeholder?.text || "Select" },
    placeholder, options.map(([value, label]) => h("option", { value, selected: picked(value) }, label)));
}

function initial(one) {
  const options = one.initial_options || (one.initial_option ? [one.initial_option] : []);
  return options.map((option) => option.value).concat(one.initial_user || [], one.initial_users || []);
}

function ticks(one, block, scene) {
  const many = one.type === "checkboxes";
  const chosen = new Set(scene.filled[placeOf(one, block)] || initial(one));
  const name = `${scene.key}-${one.action_id}`;
  const change = (option) => (event) => {
    if (!many) chosen.clear();
    event.target.checked ? chosen.add(option.value) : chosen.delete(option.value);
    scene.fill(one, block, many ? [...chosen] : option.value);
  };
  const rows = one.options.map((option) => h("label", { class: "tick" },
    h("input", { type: many ? "checkbox" : "radio", name, value: option.value, checked: chosen.has(option.value), onchange: change(option) }),
    h("span", {}, text(option.text, scene), option.description && h("small", {}, text(option.description, scene)))));
  return h("div", { class: "ticks", role: many ? "group" : "radiogroup", "aria-label": block.label?.text || "Choices" }, rows);
}

const INPUT_TYPES = { number_input: "number", email_text_input: "email", url_text_input: "url", datepicker: "date", timepicker: "time" };

function field(one, block, scene) {
  const value = scene.filled[placeOf(one, block)]?.[0] ?? one.initial_value ?? one.initial_date ?? one.initial_time ?? "";
  const change = (event) => scene.fill(one, block, event.target.value || null);
  const common = { id: `${scene.key}-${one.action_id}`, placeholder: one.placeholder?.text, oninput: change, maxlength: one.max_length };
  if (one.multiline) return h("textarea", { ...common, rows: 4 }, value);
  return h("input", { ...common, type: INPUT_TYPES[one.type] || "text", value });
}

const ELEMENTS = {
  button, overflow, image,
  icon_button: button,
  workflow_button: button,
  checkboxes: ticks,
  radio_buttons: ticks,
  static_select: select,
  multi_static_select: select,
  users_select: select,
  multi_users_select: select,
  plain_text_input: field,
  number_input: field,
  email_text_input: field,
  url_text_input: field,
  datepicker: field,
  timepicker: field,
};
