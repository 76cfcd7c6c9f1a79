/**
 * Message components, old and new: action rows with buttons and selects, and Components V2's containers,
 * sections, texts, galleries, files and separators. A press calls context.press(message, component,
 * values), whose promise is settled when the interaction is answered.
 */

import { fileCard } from "./attachments.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { gallery, local, pictureOf, thumbnail } from "./media.js";
import { cssColour, displayName } from "./people.js";
import { jumpTarget, link, prose } from "./prose.js";

const TYPE = {
  row: 1,
  button: 2,
  stringSelect: 3,
  userSelect: 5,
  roleSelect: 6,
  mentionableSelect: 7,
  channelSelect: 8,
  section: 9,
  text: 10,
  thumbnail: 11,
  gallery: 12,
  file: 13,
  separator: 14,
  container: 17,
};
/** @type {Record<number, string>} */
const BUTTON_STYLES = { 1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "link", 6: "premium" };
const LINK_STYLE = 5;
const openContainers = new Set(); // spoiler containers that were opened

/**
 * @param {Message} message
 * @param {MessageContext} context
 */
export function components(message, context) {
  const scope = { ...context, message };
  return (message.components ?? []).map((component, index) =>
    draw(component, `${message.id}:c${index}`, scope),
  );
}

/**
 * @param {Component} component
 * @param {string} key
 * @param {Scope} scope
 * @returns {HTMLElement}
 */
function draw(component, key, scope) {
  /** @param {Component[] | undefined} items */
  const children = (items) => (items ?? []).map((child, index) => draw(child, `${key}.${index}`, scope));
  switch (component.type) {
    case TYPE.container:
      return drawContainer(component, key, children(component.components));
    case TYPE.section:
      return h(
        "div.section",
        {},
        h("div.section-text", {}, children(component.components)),
        component.accessory && draw(component.accessory, `${key}.a`, scope),
      );
    case TYPE.text:
      return h("div.text-display", {}, prose(component.content ?? "", scope));
    case TYPE.thumbnail:
      return thumbnail(media(component, key));
    case TYPE.gallery:
      return gallery(component.items.map((item, index) => media(item, `${key}:${index}`)));
    case TYPE.file:
      return drawFile(component);
    case TYPE.separator:
      return h("hr.separator", {
        class: `${component.divider === false ? "bare" : ""} ${component.spacing === 2 ? "wide" : ""}`,
      });
    case TYPE.row:
      return h("div.action-row", {}, children(component.components));
    case TYPE.button:
      return drawButton(component, scope);
    case TYPE.stringSelect:
      return drawSelect(component, component.options ?? [], scope);
    case TYPE.userSelect:
    case TYPE.roleSelect:
    case TYPE.mentionableSelect:
    case TYPE.channelSelect:
      return drawSelect(component, candidates(component, scope), scope);
    default:
      return h(
        "p.unknown-component",
        {},
        "This part of the message is of a kind that this page does not know.",
      );
  }
}

/**
 * @param {Component} component
 * @param {string} key
 * @param {Child} children
 */
function drawContainer(component, key, children) {
  const colour =
    component.accent_color === null || component.accent_color === undefined
      ? null
      : cssColour(component.accent_color);
  const element = h("div.container", { style: { "--accent-bar": colour } }, children);
  if (!component.spoiler || openContainers.has(key)) return element;
  element.classList.add("covered");
  const reveal = () => {
    openContainers.add(key);
    element.classList.remove("covered");
    button.remove();
  };
  const button = h("button.spoiler-badge", { type: "button", onclick: reveal }, "Spoiler");
  element.append(button);
  return element;
}

/**
 * @param {MediaItem} item
 * @param {string} key
 */
function media(item, key) {
  const name = fileName(item.media.url);
  return pictureOf(item.media, { key, name, alt: item.description ?? "", spoiler: Boolean(item.spoiler) });
}

/** @param {string | undefined} url */
const fileName = (url) => decodeURIComponent((url ?? "").split("?")[0].split("/").at(-1) ?? "");

/** @param {Component} component */
function drawFile(component) {
  const name = component.name ?? fileName(component.file.url);
  return fileCard({ filename: name, size: component.size, url: local(component.file.url) ?? "" });
}

// ---- buttons

/**
 * @param {Component} component
 * @param {Scope} scope
 */
function drawButton(component, scope) {
  const face = [emoji(component.emoji), component.label && h("span", {}, component.label)];
  const classes = `component-button ${BUTTON_STYLES[component.style] ?? "secondary"}`;
  if (component.style === LINK_STYLE) {
    const outside = !jumpTarget(component.url);
    return link(component.url, [...face, icon(outside ? "open" : "right")], scope, classes);
  }
  const button = h(
    "button",
    {
      type: "button",
      class: classes,
      disabled: component.disabled,
      "aria-label": component.label ? null : component.emoji?.name,
    },
    face,
    dots(),
  );
  button.addEventListener("click", () => pressing(button, scope, component));
  return button;
}

/**
 * Until the answer arrives, the button shows dots, and nothing else in the message can be pressed.
 * @param {HTMLElement} control
 * @param {Scope} scope
 * @param {Component} component
 * @param {string[]} [values]
 */
async function pressing(control, scope, component, values) {
  const body = /** @type {Element} */ (control.closest(".message"));
  /** @type {NodeListOf<HTMLButtonElement>} */
  const controls = body.querySelectorAll(
    ".component-button:not([disabled]), .component-select:not([disabled])",
  );
  const others = [...controls].filter((element) => element.tagName !== "A");
  control.classList.add("pending");
  control.setAttribute("aria-busy", "true");
  for (const element of others) element.disabled = true;
  body.querySelector(".press-failed")?.remove();
  const failure = await scope.press(scope.message, component, values);
  control.classList.remove("pending");
  control.removeAttribute("aria-busy");
  for (const element of others) element.disabled = false;
  if (failure)
    control
      .closest(".action-row, .section")
      ?.after(h("p.press-failed", { role: "alert" }, icon("warning"), failure));
}

const dots = () => h("span.dots", { "aria-hidden": "true" }, h("i"), h("i"), h("i"));

/** @param {Emoji | undefined} partial */
function emoji(partial) {
  if (!partial?.name) return null;
  return h("span.button-emoji", { "aria-hidden": "true" }, partial.id ? `:${partial.name}:` : partial.name);
}

// ---- selects

/**
 * @param {Component} component
 * @param {SelectOption[]} options
 * @param {Scope} scope
 */
function drawSelect(component, options, scope) {
  const many = (component.max_values ?? 1) > 1;
  return many ? drawMultiSelect(component, options, scope) : drawSingleSelect(component, options, scope);
}

/**
 * @param {Component} component
 * @param {SelectOption[]} options
 * @param {Scope} scope
 */
function drawSingleSelect(component, options, scope) {
  const chosen = options.find((option) => option.default);
  const select = h(
    "select.component-select",
    { disabled: component.disabled, "aria-label": component.placeholder ?? "Choose" },
    h("option", { value: "", disabled: true, selected: !chosen }, component.placeholder ?? "Choose…"),
    options.map((option) => h("option", { value: option.value, selected: option === chosen }, option.label)),
  );
  select.addEventListener("change", () => pressing(select, scope, component, [select.value]));
  return select;
}

/**
 * A select of several values: a list with check boxes, which is sent when it closes.
 * @param {Component} component
 * @param {SelectOption[]} options
 * @param {Scope} scope
 */
function drawMultiSelect(component, options, scope) {
  const boxes = options.map((option) =>
    h("input", { type: "checkbox", value: option.value, checked: option.default }),
  );
  const rows = options.map((option, index) =>
    h(
      "label",
      {},
      boxes[index],
      h("span", {}, option.label, option.description && h("small", {}, option.description)),
    ),
  );
  const details = h(
    "details.component-select.multi",
    {},
    h("summary", {}, component.placeholder ?? "Choose…"),
    h("div", {}, rows),
  );
  const before = () =>
    boxes
      .filter((box) => box.checked)
      .map((box) => box.value)
      .join();
  let sent = before();
  details.addEventListener("toggle", () => {
    const values = boxes.filter((box) => box.checked).map((box) => box.value);
    if (details.open || before() === sent || values.length < (component.min_values ?? 1)) return;
    sent = before();
    pressing(details, scope, component, values.slice(0, component.max_values));
  });
  return details;
}

/**
 * Members, roles or channels, as the options of a select that has no options of its own.
 * @param {Component} component
 * @param {Scope} scope
 */
function candidates(component, { guild, store }) {
  const chosen = new Set((component.default_values ?? []).map((value) => String(value.id)));
  /**
   * @param {string} value
   * @param {string} label
   */
  const option = (value, label) => ({ value, label, default: chosen.has(value) });
  const users = () =>
    [...guild.members.values()].map((member) => option(member.user.id, displayName(member.user, member)));
  const roles = () =>
    [...guild.roles.values()]
      .filter((role) => role.id !== guild.id)
      .map((role) => option(role.id, `@${role.name}`));
  const channels = () =>
    [...guild.channels.values()]
      .filter(
        (channel) =>
          store.canSee(channel) &&
          (!component.channel_types?.length || component.channel_types.includes(channel.type)),
      )
      .map((channel) => option(channel.id, `#${channel.name}`));
  return {
    [TYPE.userSelect]: users,
    [TYPE.roleSelect]: roles,
    [TYPE.channelSelect]: channels,
    [TYPE.mentionableSelect]: () => [...users(), ...roles()],
  }[component.type]();
}
