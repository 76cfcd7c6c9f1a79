/** Dialogs: a title, a body and buttons. The focus stays inside, and returns when the dialog closes. Esc closes it. */

import { h, trapFocus } from "./dom.js";

let titles = 0;

/**
 * Open a dialog. actions: [{label, style?, run(close)}]; Enter in a field runs the last one.
 * Returns {close, say(sentence), busy(boolean)}.
 * @param {{ title: string, body: Child, actions: DialogAction[], wide?: boolean, onClose?: () => void }} options
 * @returns {Dialog}
 */
export function openDialog({ title, body, actions, wide = false, onClose }) {
  const before = document.activeElement;
  const titleId = `dialog-title-${(titles += 1)}`;
  const problem = h("p.dialog-problem", { role: "alert" });
  const buttons = actions.map((action) =>
    h(
      "button",
      { type: "button", class: `action ${action.style ?? "secondary"}`, onclick: () => action.run(close) },
      action.label,
    ),
  );
  const form = h(
    "form.dialog",
    { class: wide ? "wide" : "", novalidate: true },
    h("h2", { id: titleId }, title),
    h("div.dialog-body", {}, body),
    problem,
    h("div.dialog-actions", {}, buttons),
  );
  const veil = h("div.veil", { role: "dialog", "aria-modal": "true", "aria-labelledby": titleId }, form);

  function close() {
    document.removeEventListener("keydown", onKey, true);
    veil.remove();
    if (before instanceof HTMLElement) before.focus();
    onClose?.();
  }

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    if (document.body.lastElementChild !== veil) return; // another dialog is on top
    if (event.key === "Escape") {
      event.stopPropagation();
      close();
    } else trapFocus(veil, event);
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    buttons.at(-1)?.click();
  });
  veil.addEventListener("mousedown", (event) => event.target === veil && close());
  document.addEventListener("keydown", onKey, true);
  document.body.append(veil);
  /** @type {HTMLElement | null} */
  const field = form.querySelector("input, textarea, select");
  (field ?? buttons.at(-1))?.focus();
  return {
    close,
    say: (sentence) => {
      problem.textContent = sentence;
    },
    busy: (on) =>
      buttons.forEach((button) => {
        button.disabled = on;
      }),
  };
}

/**
 * Ask before a dangerous action. When `run` fails, its sentence is shown and the dialog stays open.
 * @param {{ title: string, body: Child, label: string, run: () => Promise<unknown> }} options
 */
export function confirmDanger({ title, body, label, run }) {
  const dialog = openDialog({
    title,
    body,
    actions: [
      { label: "Cancel", run: (close) => close() },
      { label, style: "danger", run: () => attempt(dialog, run) },
    ],
  });
}

/**
 * Run `work`, then close the dialog. When it fails, say why and keep it open.
 * @param {Dialog} dialog
 * @param {() => Promise<unknown>} work
 */
export async function attempt(dialog, work) {
  dialog.busy(true);
  try {
    await work();
    dialog.close();
  } catch (error) {
    dialog.say(error.message);
    dialog.busy(false);
  }
}
