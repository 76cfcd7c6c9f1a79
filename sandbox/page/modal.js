/** Forms that an application opens (interaction answer 9): labels, text inputs, selects, check boxes. */

import { attempt, openDialog } from "./dialog.js";
import { h } from "./dom.js";
import { prose } from "./prose.js";

const TYPE = { row: 1, stringSelect: 3, text: 4, display: 10, label: 18, radios: 21, checks: 22, check: 23 };
const PARAGRAPH = 2;

/** @typedef {{ element: HTMLElement, value(): ComponentAnswer | null, problem?(): string | null }} Field */
/** @typedef {{ element: HTMLElement, required: boolean, empty(): boolean, value(): ComponentAnswer }} Input */

/**
 * Show `modal`; `submit(components)` returns a sentence when it failed, null when it was accepted.
 * @param {Modal} modal
 * @param {(components: ComponentAnswer[]) => Promise<string | null>} submit
 * @param {MessageContext} context
 */
export function openModal(modal, submit, context) {
  const fields = modal.components.map((component) => drawField(component, context));
  const dialog = openDialog({
    title: modal.title,
    body: fields.map((field) => field.element),
    actions: [
      { label: "Cancel", run: (close) => close() },
      { label: "Submit", style: "primary", run: send },
    ],
  });

  function send() {
    const missing = fields.find((field) => field.problem?.());
    if (missing) return dialog.say(missing.problem?.() ?? "");
    attempt(dialog, async () => {
      const failure = await submit(fields.map((field) => field.value()).filter((value) => value !== null));
      if (failure) throw new Error(failure);
    });
  }
}

/**
 * {element, value(), problem?()} of one line of the form.
 * @param {Component} component
 * @param {MessageContext} context
 * @returns {Field}
 */
function drawField(component, context) {
  if (component.type === TYPE.display) {
    return { element: h("div", {}, prose(component.content, context)), value: () => null };
  }
  if (component.type === TYPE.row) {
    const inner = drawInput(component.components[0]);
    return wrap(component.components[0].label, null, inner, (value) => ({
      type: TYPE.row,
      components: [value],
    }));
  }
  const inner = drawInput(component.component);
  return wrap(component.label, component.description, inner, (value) => ({
    type: TYPE.label,
    id: component.id,
    component: value,
  }));
}

/**
 * @param {string} label
 * @param {string | null | undefined} description
 * @param {Input} inner
 * @param {(value: ComponentAnswer) => ComponentAnswer} pack
 */
function wrap(label, description, inner, pack) {
  const element = h(
    "label.field",
    {},
    h("span", {}, label, inner.required && h("b", { title: "Needed" }, " *")),
    description && h("small", {}, description),
    inner.element,
  );
  return {
    element,
    value: () => pack(inner.value()),
    problem: () => (inner.required && inner.empty() ? `“${label}” is needed.` : null),
  };
}

/**
 * @param {Component} component
 * @returns {Input}
 */
function drawInput(component) {
  const { type, id, custom_id: customId } = component;
  const required = component.required ?? true;
  const base = { type, id, custom_id: customId };
  if (type === TYPE.text) {
    const tag = component.style === PARAGRAPH ? "textarea" : "input";
    const element = h(tag, {
      placeholder: component.placeholder,
      maxlength: component.max_length,
      minlength: component.min_length,
      value: component.value ?? "",
    });
    return {
      element,
      required,
      empty: () => !element.value,
      value: () => ({ ...base, value: element.value }),
    };
  }
  if (type === TYPE.check) {
    const element = h("input", { type: "checkbox", checked: component.default });
    return {
      element,
      required: false,
      empty: () => false,
      value: () => ({ ...base, value: element.checked }),
    };
  }
  const many = type === TYPE.checks || (component.max_values ?? 1) > 1;
  const element = h(
    "select",
    { multiple: many },
    !many && !required && h("option", { value: "" }, "—"),
    (component.options ?? []).map((option) =>
      h("option", { value: option.value, selected: option.default }, option.label),
    ),
  );
  const chosen = () => [...element.selectedOptions].map((option) => option.value).filter(Boolean);
  const value = () =>
    type === TYPE.radios ? { ...base, value: chosen()[0] ?? null } : { ...base, values: chosen() };
  return { element, required, empty: () => !chosen().length, value };
}
