// The confirmation dialog before a button's click, and the app's modals.

import { drawBlocks } from "./blocks.js";
import { h } from "./dom.js";
import { textObject, unescape } from "./mrkdwn.js";

const place = () => document.getElementById("dialogs");

export function confirmed(confirm, names) {
  return new Promise((resolve) => {
    const finish = (answer) => { dialog.close(); dialog.remove(); resolve(answer); };
    const yes = h("button", { type: "button", class: `control ${confirm.style || "primary"}`, id: "confirm-yes", onclick: () => finish(true) }, unescape(confirm.confirm.text));
    const no = h("button", { type: "button", class: "control plain", id: "confirm-no", onclick: () => finish(false) }, unescape(confirm.deny.text));
    const dialog = h("dialog", { class: "sheet small", "aria-labelledby": "confirm-title", oncancel: () => finish(false) },
      h("h2", { id: "confirm-title" }, unescape(confirm.title.text)),
      h("div", { class: "sheet-body" }, textObject(confirm.text, names)),
      h("div", { class: "sheet-foot" }, no, yes));
    place().append(dialog);
    dialog.showModal();
    no.focus();
  });
}

let shown = null;

export function showView(view, scene, { submit, close }) {
  const mark = view && `${view.id} ${view.hash} ${JSON.stringify(view.errors)} ${view.trouble}`;
  if (mark === shown?.mark) return;
  shown?.dialog.remove();
  shown = view ? { mark, dialog: open(view, scene, submit, close) } : null;
}

function open(view, scene, submit, close) {
  const { title, submit: yes, close: no, blocks } = view.body;
  const send = h("button", { type: "submit", class: "control primary", id: "modal-submit" }, yes ? unescape(yes.text) : "Submit");
  const form = h("form", { method: "dialog", onsubmit: (event) => { event.preventDefault(); send.disabled = true; submit().finally(() => { send.disabled = false; }); } },
    h("div", { class: "sheet-body" }, view.trouble && h("div", { class: "b alert error", role: "alert" }, view.trouble), drawBlocks(blocks, { ...scene, errors: view.errors })),
    h("div", { class: "sheet-foot" }, h("button", { type: "button", class: "control plain", onclick: close }, no ? unescape(no.text) : "Close"), yes ? send : null));
  const dialog = h("dialog", { class: "sheet", oncancel: (event) => { event.preventDefault(); close(); } }, h("h2", {}, unescape(title?.text || "")), form);
  place().append(dialog);
  dialog.showModal();
  return dialog;
}

export function toast(message) {
  const note = h("div", { class: "toast" }, message);
  document.getElementById("toasts").append(note);
  setTimeout(() => note.remove(), 6000);
}

