/**
 * A chosen slash command with its options as pills: text, numbers, choices, autocomplete, channels,
 * members, roles, true/false and files (picked, dropped or pasted).
 */

import { coerce, freeTextOption, OPTION, offered, splitChoice } from "./commands.js";
import { h, replace } from "./dom.js";
import { icon } from "./icons.js";

/** @typedef {TextPill | FilePill} Pill */

const AUTOCOMPLETE_WAIT_MS = 220; // one request for several quick keys
const MAX_OFFERED = 25;

export class CommandForm {
  /** @type {Map<string, Pill>} */
  #pills = new Map(); // option name -> pill
  #row = h("div.command-row");
  #others = h("div.command-others", { role: "group", "aria-label": "Further options" });
  /** @type {HTMLInputElement} */
  #tail = h("input.command-tail", {
    type: "text",
    autocomplete: "off",
    spellcheck: "false",
    oninput: () => this.#tailTyped(),
    onblur: () => this.context.suggestions.hide(),
  });
  #hint = h("p.command-hint", { role: "status" });

  /**
   * context: {store, guild, people(guild), suggestions, autocomplete(leaf, values, focused) → choices}
   * send(values, labels): run it. leave(): back to plain text.
   * @param {Leaf} leaf
   * @param {FormContext} context
   * @param {{ send: (values: Record<string, any>, labels: Record<string, string>) => void, leave: () => void }} options
   */
  constructor(leaf, context, { send, leave }) {
    this.leaf = leaf;
    this.context = context;
    this.send = send;
    this.leave = leave;
    this.element = h(
      "div.command-form",
      { role: "group", "aria-label": `Command ${leaf.name}` },
      h(
        "div.command-title",
        {},
        h("b", {}, `/${leaf.name}`),
        h("span", {}, leaf.description),
        h(
          "button.round.send",
          {
            type: "button",
            "aria-label": "Run this command",
            title: "Run (Enter)",
            onclick: () => this.submit(),
          },
          icon("send"),
        ),
        h(
          "button.plain",
          { type: "button", "aria-label": "Leave this command", title: "Leave (Esc)", onclick: leave },
          icon("close"),
        ),
      ),
      this.#row,
      this.#others,
      this.#hint,
    );
    const loose = freeTextOption(leaf.options); // the option for words without a name is shown from the start
    for (const option of leaf.options) {
      if (option.required || (option === loose && option.type === OPTION.string)) this.#add(option);
    }
    if (!this.#pills.size && leaf.options.length)
      this.#hint.textContent = "Everything here is optional: press Enter to run it.";
    if (!leaf.options.length) this.#hint.textContent = "This command has no options: press Enter to run it.";
    this.#draw();
    this.element.addEventListener("keydown", (event) => this.#key(event));
  }

  /**
   * Put typed texts into their options, and show options that are not shown yet.
   * @param {Record<string, string>} texts
   */
  fill(texts) {
    for (const option of this.leaf.options) {
      if (texts[option.name] === undefined) continue;
      this.#add(option).set(texts[option.name]);
    }
    this.#draw();
  }

  focus() {
    const pills = [...this.#pills.values()];
    const words = pills.filter((pill) => pill instanceof TextPill);
    const next = words.find((pill) => !pill.given()) ?? words.at(-1);
    // not on a file's button, where Enter would choose another file
    if (next && (next === pills.at(-1) || !next.given())) next.focus();
    else this.#tail.focus();
  }

  /**
   * Put dropped or pasted files into the first free file options. Returns false when there is none.
   * @param {File[]} files
   */
  takeFiles(files) {
    const options = this.leaf.options.filter((option) => option.type === OPTION.attachment);
    const free = options.find((option) => !this.#pills.get(option.name)?.given()) ?? options[0];
    if (!free || !files.length) return false;
    const pill = this.#add(free);
    if (pill instanceof FilePill) pill.setFile(files[0]);
    this.#draw();
    return true;
  }

  submit() {
    this.#takeTail();
    this.#takeWordsAfterChoices();
    /** @type {Record<string, unknown>} */
    const values = {};
    /** @type {Record<string, string>} */
    const labels = {};
    for (const pill of this.#pills.values()) {
      const given = pill.given();
      if (!given && !pill.option.required) continue;
      const problem = given ? given.problem : `“${pill.option.name}” is needed.`;
      if (problem) return this.#complain(pill, problem);
      values[pill.option.name] = given?.value;
      labels[pill.option.name] = given?.label ?? "";
    }
    this.context.suggestions.hide();
    this.send(values, labels);
  }

  values() {
    return Object.fromEntries(
      [...this.#pills.values()]
        .map((pill) => [pill.option.name, pill.given()?.value])
        .filter(([, value]) => value !== undefined),
    );
  }

  /**
   * @param {Pill} pill
   * @param {string} problem
   */
  #complain(pill, problem) {
    pill.element.classList.add("problem");
    pill.focus();
    this.#hint.textContent = problem;
    this.#hint.classList.add("problem");
  }

  /** @param {Pick<CommandOption, "description">} option */
  explain(option) {
    this.#hint.classList.remove("problem");
    this.#hint.textContent = option.description;
    for (const pill of this.#pills.values()) pill.element.classList.remove("problem");
  }

  /**
   * Move to the option whose name was just typed as "name:" in another one.
   * @param {string} name
   */
  jumpTo(name) {
    const option = this.leaf.options.find((candidate) => candidate.name === name);
    if (!option) return;
    const pill = this.#add(option);
    this.#draw();
    pill.focus();
  }

  /**
   * The option's pill, which is added when it is missing.
   * @param {CommandOption} option
   * @returns {Pill}
   */
  #add(option) {
    if (!this.#pills.has(option.name)) {
      this.#pills.set(
        option.name,
        option.type === OPTION.attachment ? new FilePill(option, this) : new TextPill(option, this),
      );
    }
    return /** @type {Pill} */ (this.#pills.get(option.name));
  }

  /** @param {string} name */
  #remove(name) {
    this.#pills.delete(name);
    this.#draw();
    this.focus();
  }

  #draw() {
    const missing = this.#missing();
    const holder = document.activeElement;
    replace(
      this.#row,
      h("span.command-name", {}, `/${this.leaf.name}`),
      ...[...this.#pills.values()].map((pill) => pill.element),
      this.#tail,
    );
    replace(
      this.#others,
      ...missing.map((option) =>
        h(
          "button.add-option",
          { type: "button", title: option.description, onclick: () => this.jumpTo(option.name) },
          icon("plus"),
          option.name,
        ),
      ),
    );
    this.#tail.setAttribute(
      "aria-label",
      missing.length
        ? `More for ${this.leaf.name}: ${missing.map((option) => option.name).join(", ")}`
        : "End of the command",
    );
    if (holder instanceof HTMLElement && this.#row.contains(holder)) holder.focus();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const target = /** @type {HTMLInputElement} */ (event.target);
    // after the options, Enter runs the command: what was typed may be words and no option's name;
    // so it does where the list would only choose what is typed already
    const passEnter = target === this.#tail || this.#isTyped(target);
    if (event.defaultPrevented || this.context.suggestions.key(event, { passEnter })) return;
    const onButton = target.closest("button");
    if (event.key === "Enter" && !onButton) {
      event.preventDefault();
      this.submit();
    } else if (event.key === "Escape") {
      event.preventDefault();
      this.leave();
    } else if (event.key === "Backspace" && target.value === "") {
      event.preventDefault();
      this.#backspace(target);
    }
  }

  /**
   * Whether what the list would choose is typed already.
   * @param {HTMLInputElement} input
   */
  #isTyped(input) {
    const pill = [...this.#pills.values()].find(({ element }) => element.contains(input));
    const chosen = this.context.suggestions.current?.data;
    if (!pill || !chosen) return false;
    const said = pill.option.choices?.length ? [chosen.label, chosen.value] : [chosen.value];
    return said.some((one) => String(one).toLowerCase() === input.value.trim().toLowerCase());
  }

  #missing() {
    return this.leaf.options.filter((option) => !this.#pills.has(option.name));
  }

  /** Offer the options whose names begin so; add "channel" when "channel:" is typed. */
  #tailTyped() {
    const typed = this.#tail.value.trim();
    const named = this.#missing().find((option) => typed === `${option.name}:`);
    if (named) return this.#addTyped(named);
    const fitting = this.#missing().filter((option) => typed && option.name.startsWith(typed));
    this.context.suggestions.show(this.#tail, {
      title: "Options",
      items: fitting.map((option) => ({ label: option.name, detail: option.description, data: option })),
      choose: ({ data }) => this.#addTyped(data),
    });
  }

  /** @param {CommandOption} option */
  #addTyped(option) {
    this.#tail.value = "";
    this.context.suggestions.hide();
    this.jumpTo(option.name);
  }

  /** Put words without a name, typed after the options, into the option that takes them. */
  #takeTail() {
    const words = this.#tail.value.trim();
    const option = freeTextOption(this.#missing());
    if (!words || !option) return;
    this.#tail.value = "";
    this.fill({ [option.name]: words });
  }

  /** Put words that were typed after a choice into the option that takes words. */
  #takeWordsAfterChoices() {
    const free = freeTextOption(this.leaf.options);
    if (!free) return;
    for (const pill of [...this.#pills.values()]) {
      if (!(pill instanceof TextPill) || !pill.given()?.problem) continue;
      const [choice, rest] = splitChoice(pill.option, pill.input.value.trim());
      if (!rest) continue;
      const words = this.values()[free.name];
      this.fill({ [pill.option.name]: choice, [free.name]: words ? `${words} ${rest}` : rest });
    }
  }

  /**
   * Backspace in an empty option: remove it, or leave the command when it is the first.
   * @param {HTMLInputElement} input
   */
  #backspace(input) {
    const pills = [...this.#pills.values()];
    if (input === this.#tail) return pills.length ? pills[pills.length - 1].focus() : this.leave();
    const at = pills.findIndex((pill) => pill.element.contains(input));
    if (!pills[at]?.option.required && pills.length > 1) this.#remove(pills[at].option.name);
    else if (at > 0) pills[at - 1].focus();
    else this.leave();
  }
}

class TextPill {
  /** @type {Given | null} */
  #chosen = null; // {value, label} taken from the list
  /** @type {number | undefined} */
  #timer;
  #asked = 0;

  /**
   * @param {CommandOption} option
   * @param {CommandForm} form
   */
  constructor(option, form) {
    this.option = option;
    this.form = form;
    const numeric = option.type === OPTION.integer || option.type === OPTION.number;
    /** @type {HTMLInputElement} */
    this.input = h("input", {
      type: "text",
      size: 1,
      autocomplete: "off",
      spellcheck: "false",
      inputmode: numeric ? "numeric" : null,
      maxlength: option.max_length ?? null,
      "aria-label": `${option.name}: ${option.description}`,
      oninput: () => this.#typed(),
      onfocus: () => this.#entered(),
      onblur: () => form.context.suggestions.hide(),
    });
    this.element = h(
      "label.pill",
      { dataset: { option: option.name } },
      h("span.pill-name", {}, option.name),
      this.input,
    );
  }

  focus() {
    this.input.focus();
  }

  /** @param {string} text */
  set(text) {
    const choices = this.#offers();
    const found = choices && text ? coerce(this.option, text, choices) : null;
    this.#chosen = found && !found.problem ? found : null;
    this.input.value = this.#chosen?.label ?? text;
    this.#resize();
  }

  /**
   * {value, label}, {problem}, or null when empty.
   * @returns {Given | null}
   */
  given() {
    const text = this.input.value.trim();
    if (!text) return null;
    if (this.#chosen?.label === this.input.value) return this.#chosen;
    return coerce(this.option, text, this.#offers());
  }

  #offers() {
    return offered(this.option, this.form.context);
  }

  #entered() {
    this.form.explain(this.option);
    this.#suggest();
  }

  #typed() {
    this.form.explain(this.option);
    this.#dropOwnName();
    this.#resize();
    const other = this.#otherOption();
    if (other) {
      this.input.value = this.input.value.slice(0, -other.length - 1).trimEnd();
      this.#resize();
      return this.form.jumpTo(other);
    }
    this.#suggest();
  }

  /** "query:dog" is typed into the option "query" by who knows its name: the dog is meant. */
  #dropOwnName() {
    const typed = this.input.value.trimStart();
    const own = `${this.option.name}:`;
    if (typed.startsWith(own)) this.input.value = typed.slice(own.length).trimStart();
  }

  /** After "dog in snow show:", move to the option "show". */
  #otherOption() {
    const name = /(?:^|\s)([\p{L}\p{N}_-]+):$/u.exec(this.input.value)?.[1];
    return this.form.leaf.options.some((option) => option.name === name && option !== this.option)
      ? name
      : null;
  }

  #suggest() {
    clearTimeout(this.#timer);
    if (this.option.autocomplete) {
      this.#timer = setTimeout(() => this.#ask(), AUTOCOMPLETE_WAIT_MS);
      return;
    }
    const choices = this.#offers();
    if (!choices) return this.form.context.suggestions.hide();
    const typed = this.input.value.trim().toLowerCase().replace(/^[#@]/, "");
    /** @param {Choice} choice */
    const bare = (choice) => choice.label.toLowerCase().replace(/^[#@]/, "");
    const fitting = choices
      .filter((choice) => bare(choice).includes(typed))
      .sort((a, b) => Number(bare(b).startsWith(typed)) - Number(bare(a).startsWith(typed)));
    this.#offer(fitting, "Nothing fits what you typed.");
  }

  async #ask() {
    const asked = (this.#asked += 1);
    const { context, leaf } = this.form;
    const choices = await context.autocomplete(
      leaf,
      { ...this.form.values(), [this.option.name]: this.input.value },
      this.option.name,
    );
    const current = asked === this.#asked && document.activeElement === this.input;
    if (current)
      this.#offer(
        choices.map(({ name, value }) => ({ label: name, value })),
        null,
      );
  }

  /**
   * @param {Choice[]} choices
   * @param {string | null} empty
   */
  #offer(choices, empty) {
    const items = choices
      .slice(0, MAX_OFFERED)
      .map((choice) => ({ label: choice.label, detail: choice.detail, face: choice.face?.(), data: choice }));
    this.form.context.suggestions.show(this.input, {
      title: this.option.description,
      items,
      empty,
      choose: ({ data }) => this.#take(data),
    });
  }

  /** @param {Choice} choice */
  #take({ value, label }) {
    this.#chosen = { value, label };
    this.input.value = label;
    this.#resize();
    this.form.context.suggestions.hide();
    const hint = /** @type {Element} */ (this.form.element.querySelector(".command-hint"));
    hint.textContent = "Enter runs the command, Tab goes on.";
  }

  /** A pill is as wide as its text. */
  #resize() {
    this.input.style.width = `${Math.max(2, this.input.value.length + 1)}ch`;
  }
}

class FilePill {
  /** @type {File | null} */
  #file = null;

  /**
   * @param {CommandOption} option
   * @param {CommandForm} form
   */
  constructor(option, form) {
    this.option = option;
    this.form = form;
    /** @type {HTMLInputElement} */
    this.picker = h("input", {
      type: "file",
      accept: "image/*",
      hidden: true,
      onchange: () => this.setFile(this.picker.files?.[0]),
    });
    this.button = h("button.file-choice", {
      type: "button",
      "aria-label": `${option.name}: ${option.description}. Choose a file.`,
      onclick: () => this.picker.click(),
      onfocus: () => form.explain(option),
    });
    this.element = h(
      "span.pill.file-pill",
      { dataset: { option: option.name } },
      h("span.pill-name", {}, option.name),
      this.button,
      this.picker,
    );
    this.button.append(icon("picture"), "Choose, drop or paste a picture");
  }

  focus() {
    this.button.focus();
  }

  set() {} // typed text is not a file

  /** @param {File | undefined} file */
  setFile(file) {
    if (!file) return;
    this.#file = file;
    const address = URL.createObjectURL(file);
    const release = () => URL.revokeObjectURL(address);
    replace(this.button, h("img", { src: address, alt: "", onload: release, onerror: release }), file.name);
    this.form.focus();
    this.form.explain({ description: "Enter runs the command." });
  }

  /** @returns {Given | null} */
  given() {
    return this.#file ? { value: this.#file, label: this.#file.name } : null;
  }
}
