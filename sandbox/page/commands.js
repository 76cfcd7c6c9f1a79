/**
 * Slash commands as text and as data. This module uses no DOM and no network.
 *
 * A leaf is a command that can be run: one without subcommands, or a subcommand.
 * {name: "channels add", path: ["channels", "add"], description, options, command, application}
 * Names and descriptions are in the person's language, as are those of its options; `path` and each option's `wire`
 * are what is sent.
 */

export const OPTION = {
  subcommand: 1,
  group: 2,
  string: 3,
  integer: 4,
  boolean: 5,
  user: 6,
  channel: 7,
  role: 8,
  mentionable: 9,
  number: 10,
  attachment: 11,
};
const COMMAND_TYPE = { slash: 1, user: 2, message: 3 };

/**
 * The leaves of an application-command-index, sorted by name. Subcommands come after the commands without any, as
 * they do when one of their words is typed, so that nothing changes places under the person's hand.
 * @param {CommandIndexPayload} index
 */
export function slashCommands(index) {
  return commandsOf(index, COMMAND_TYPE.slash)
    .flatMap(leavesOf)
    .sort((a, b) => a.path.length - b.path.length || a.name.localeCompare(b.name));
}

/**
 * The commands of the messages' context menu.
 * @param {CommandIndexPayload} index
 */
export function messageCommands(index) {
  return commandsOf(index, COMMAND_TYPE.message);
}

/**
 * @param {CommandIndexPayload} index
 * @param {number} type
 */
function commandsOf(index, type) {
  const applications = new Map(
    (index.applications ?? []).map((application) => [application.id, application]),
  );
  return (index.application_commands ?? [])
    .filter((command) => (command.type ?? COMMAND_TYPE.slash) === type)
    .map((command) => ({
      ...command,
      application: applications.get(command.application_id) ?? { id: command.application_id, name: "App" },
    }));
}

/** @param {Command} command */
function leavesOf(command) {
  /**
   * @param {(Command | CommandOption)[]} nodes from the command to the subcommand
   * @returns {Leaf[]}
   */
  const descend = (nodes) => {
    const node = nodes[nodes.length - 1];
    const inner = (node.options ?? []).filter(
      (option) => option.type === OPTION.subcommand || option.type === OPTION.group,
    );
    if (inner.length) return inner.flatMap((option) => descend([...nodes, option]));
    return [
      {
        name: nodes.map(nameOf).join(" "),
        path: nodes.map(({ name }) => name),
        description: node.description_localized ?? node.description,
        options: (node.options ?? []).map(asShown),
        command,
        application: command.application,
      },
    ];
  };
  return descend([command]);
}

/**
 * A name in the person's language.
 * @param {{ name: string, name_localized?: string }} named
 */
export const nameOf = ({ name, name_localized: localized }) => localized ?? name;

/**
 * An option in the person's language.
 * @param {CommandOption} option
 * @returns {CommandOption}
 */
const asShown = (option) => ({
  ...option,
  name: nameOf(option),
  wire: option.name,
  description: option.description_localized ?? option.description,
  choices: option.choices?.map((choice) => ({ ...choice, name: nameOf(choice) })),
});

/**
 * Leaves that fit what was typed after "/", best first: names that begin with it, then names that contain it.
 * @param {Leaf[]} leaves
 * @param {string} typed
 */
export function matching(leaves, typed) {
  const words = typed.toLowerCase().trimStart();
  /** @param {Leaf} leaf */
  const rank = (leaf) => (leaf.name.startsWith(words) ? 0 : leaf.name.includes(words) ? 1 : 2);
  return leaves.filter((leaf) => rank(leaf) < 2).sort((a, b) => rank(a) - rank(b));
}

/**
 * A complete typed command: {leaf, texts: {option name: text}}, or null when it names no command.
 * "/find dog in snow show:everyone" → query "dog in snow", show "everyone": words before the first
 * "name:" belong to the first option that takes words, and so do words after a choice.
 * @param {string} text
 * @param {Leaf[]} leaves
 */
export function parseTyped(text, leaves) {
  if (!text.startsWith("/")) return null;
  const typed = text.slice(1);
  const leaf = leaves
    .filter(({ name }) => typed === name || (typed.startsWith(name) && /\s/.test(typed[name.length])))
    .sort((a, b) => b.name.length - a.name.length)[0];
  return leaf ? { leaf, texts: splitOptions(typed.slice(leaf.name.length), leaf.options) } : null;
}

/**
 * @param {string} text
 * @param {CommandOption[]} options
 */
function splitOptions(text, options) {
  const names = options.map((option) => option.name).join("|");
  /** @type {Record<string, string>} */
  const texts = {};
  const free = freeTextOption(options)?.name;
  let current = free;
  let from = 0;
  let named = false; // a named option is shown even when no text follows yet
  /** @param {number} end */
  const put = (end) => {
    const value = text.slice(from, end).trim();
    if (current && (value || named)) texts[current] = value;
  };
  for (const match of names ? text.matchAll(new RegExp(`(?<=^|\\s)(${names}):`, "gu")) : []) {
    put(match.index);
    current = match[1];
    named = true;
    from = match.index + match[0].length;
  }
  put(text.length);
  for (const option of options) {
    const [choice, rest] = splitChoice(option, texts[option.name] ?? "");
    if (!rest || !free) continue;
    texts[option.name] = choice;
    texts[free] = [texts[free], rest].filter(Boolean).join(" ");
  }
  return texts;
}

/**
 * Text for an option with choices: [the choice with which it begins, or its first word; what follows].
 * Other options take all of it.
 * @param {CommandOption} option
 * @param {string} text
 */
export function splitChoice(option, text) {
  if (!option.choices?.length) return [text, ""];
  const begins = option.choices
    .flatMap(({ name, value }) => [name, String(value)])
    .filter((said) => `${text} `.toLowerCase().startsWith(`${said} `.toLowerCase()))
    .sort((a, b) => b.length - a.length)[0];
  const end = begins?.length ?? text.split(/\s/, 1)[0].length;
  return [text.slice(0, end), text.slice(end).trim()];
}

/**
 * The option for words without a name: the first that takes any text, else the first that isn't a file.
 * @param {CommandOption[]} options
 */
export function freeTextOption(options) {
  /** @param {CommandOption} option */
  const takesText = (option) => option.type === OPTION.string && !option.choices?.length;
  return options.find(takesText) ?? options.find((option) => option.type !== OPTION.attachment);
}

/**
 * Whether a command has an option for a file.
 * @param {Leaf} leaf
 */
export const takesFile = (leaf) => leaf.options.some((option) => option.type === OPTION.attachment);

/**
 * The choices for an option: [{label, value, detail?}], or null when anything may be typed.
 * `store` and `guild` know members, channels and roles.
 * @param {CommandOption} option
 * @param {Pick<FormContext, "store" | "guild" | "people">} context
 * @returns {Choice[] | null}
 */
export function offered(option, { store, guild, people }) {
  if (option.choices?.length) return option.choices.map(({ name, value }) => ({ label: name, value }));
  switch (option.type) {
    case OPTION.boolean:
      return [
        { label: "True", value: true },
        { label: "False", value: false },
      ];
    case OPTION.channel:
      return channelsFor(option, store, guild);
    case OPTION.user:
      return people(guild);
    case OPTION.role:
      return rolesFor(guild);
    case OPTION.mentionable:
      return [...people(guild), ...rolesFor(guild)];
    default:
      return null;
  }
}

/**
 * @param {CommandOption} option
 * @param {Store} store
 * @param {Guild} guild
 * @returns {Choice[]}
 */
function channelsFor(option, store, guild) {
  /** @param {Channel} channel */
  const fits = (channel) => !option.channel_types?.length || option.channel_types.includes(channel.type);
  const tree = store
    .tree(guild)
    .flatMap(({ category, channels }) => [...(category ? [category] : []), ...channels]);
  const threads = [...guild.threads.values()].filter((thread) => store.canSee(thread));
  return [...tree, ...threads].filter(fits).map((channel) => ({
    label: channel.type === 4 ? channel.name : `#${channel.name}`,
    value: channel.id,
    channel,
  }));
}

/** @param {Guild} guild */
const rolesFor = (guild) =>
  [...guild.roles.values()].map((role) => ({ label: `@${role.name}`.replace("@@", "@"), value: role.id }));

/**
 * {value, label} of typed text for an option, or {problem: a sentence}.
 * @param {CommandOption} option
 * @param {string} text
 * @param {Choice[] | null} choices
 * @returns {Given}
 */
export function coerce(option, text, choices) {
  const label = text.trim();
  if (choices) return chosenFrom(option, label, choices);
  if (option.type === OPTION.integer || option.type === OPTION.number) return coerceNumber(option, label);
  if (option.min_length && label.length < option.min_length)
    return { problem: `“${option.name}” needs at least ${option.min_length} characters.` };
  if (option.max_length && label.length > option.max_length)
    return { problem: `“${option.name}” takes at most ${option.max_length} characters.` };
  return { value: label, label };
}

/**
 * @param {CommandOption} option
 * @param {string} label
 */
function coerceNumber(option, label) {
  const value = Number(label);
  const whole = option.type === OPTION.integer;
  if (label === "" || !Number.isFinite(value) || (whole && !Number.isInteger(value))) {
    return { problem: `“${option.name}” needs a ${whole ? "whole number" : "number"}.` };
  }
  if (option.min_value !== undefined && value < option.min_value)
    return { problem: `“${option.name}” is at least ${option.min_value}.` };
  if (option.max_value !== undefined && value > option.max_value)
    return { problem: `“${option.name}” is at most ${option.max_value}.` };
  return { value, label };
}

/**
 * @param {CommandOption} option
 * @param {string} label
 * @param {Choice[]} choices
 */
function chosenFrom(option, label, choices) {
  /** @param {unknown} text */
  const bare = (text) => String(text).toLowerCase().replace(/^[#@]/, "");
  const id = /^<[#@][!&]?(\d+)>$/.exec(label)?.[1];
  const found =
    choices.find((choice) => choice.value === (id ?? label)) ??
    choices.find((choice) => bare(choice.label) === bare(label)) ??
    choices.find((choice) => bare(choice.value) === bare(label));
  return found
    ? { value: found.value, label: found.label }
    : { problem: `“${label}” is not one of the choices for “${option.name}”.` };
}

/**
 * The `data` of an interaction, and the files beside it.
 * values: {option name: value}; an attachment's value is a File.
 * @param {Leaf} leaf
 * @param {Record<string, any>} values
 * @param {{ focused?: string | null }} [options]
 */
export function commandData(leaf, values, { focused = null } = {}) {
  /** @type {File[]} */
  const files = [];
  /** @type {{ id: string, filename: string }[]} */
  const attachments = [];
  const filled = leaf.options.filter(
    (option) => values[option.name] !== undefined || option.name === focused,
  );
  const options = filled.map((option) => {
    const given = values[option.name] ?? "";
    const entry = { type: option.type, name: option.wire ?? option.name, value: given };
    if (given instanceof File) {
      entry.value = String(files.length);
      attachments.push({ id: entry.value, filename: given.name });
      files.push(given);
    }
    return option.name === focused ? { ...entry, focused: true } : entry;
  });
  const { id, name, version, guild_id: guildId } = leaf.command;
  const data = {
    id,
    name,
    type: COMMAND_TYPE.slash,
    version,
    options: nestedOptions(leaf, options),
    attachments,
  };
  return { data: guildId ? { ...data, guild_id: guildId } : data, files };
}

/**
 * The `data` of a context-menu command on a message.
 * @param {Pick<Command, "id" | "name" | "version" | "guild_id">} command
 * @param {string} targetId
 */
export function menuData({ id, name, version, guild_id: guildId }, targetId) {
  const data = {
    id,
    name,
    type: COMMAND_TYPE.message,
    version,
    target_id: targetId,
    options: [],
    attachments: [],
  };
  return guildId ? { ...data, guild_id: guildId } : data;
}

/**
 * @param {Leaf} leaf
 * @param {object[]} options
 */
function nestedOptions(leaf, options) {
  /** @type {Command | CommandOption} */
  let node = leaf.command;
  const wrappers = leaf.path.slice(1).map((name) => {
    node = /** @type {CommandOption} */ (node.options?.find((option) => option.name === name));
    return { type: node.type, name };
  });
  return wrappers.reduceRight((inner, wrapper) => [{ ...wrapper, options: inner }], options);
}

/**
 * "/find query: dog in snow": the text of a command that was sent.
 * @param {Leaf} leaf
 * @param {Record<string, string>} labels
 */
export function commandLabel(leaf, labels) {
  const parts = leaf.options
    .filter((option) => labels[option.name])
    .map((option) => `${option.name}: ${labels[option.name]}`);
  return [`/${leaf.name}`, ...parts].join(" ");
}
