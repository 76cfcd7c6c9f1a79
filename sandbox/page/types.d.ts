/**
 * The types of the page's modules, for `tsc`; no browser loads this file.
 *
 * Discord's objects have the fields that the page reads. They come from JSON, so a field that only one
 * kind of object has (a gallery's `items`) is declared as if all had it.
 */

type Store = import("./store.js").Store;
type Timeline = import("./timeline.js").Timeline;
type Api = import("./api.js").Api;
type Gateway = import("./gateway.js").Gateway;
type Interactions = import("./interactions.js").Interactions;
type CommandIndex = import("./commandindex.js").CommandIndex;
type Unlisted = import("./unlisted.js").Unlisted;
type Composer = import("./composer.js").Composer;
type MessageList = import("./messagelist.js").MessageList;
type Outbox = import("./outbox.js").Outbox;
type Suggestions = import("./suggest.js").Suggestions;
type Uploads = import("./uploads.js").Uploads;
type IconName = import("./icons.js").IconName;

// ---- Discord's objects

interface User {
  id: string;
  username: string;
  global_name?: string | null;
  avatar?: string | null;
  avatar_url?: string;
  bot?: boolean;
  locale?: string; // of oneself
}

interface Member {
  user: User;
  roles: string[];
  nick?: string | null;
  guild_id?: string;
}

interface Role {
  id: string;
  name: string;
  color: number;
  position: number;
  permissions: string;
  hoist: boolean;
  mentionable?: boolean;
}

interface Overwrite {
  id: string;
  allow: string | bigint;
  deny: string | bigint;
}

/** A channel, a category or a thread. */
interface Channel {
  id: string;
  type: number;
  name: string;
  guild_id: string;
  parent_id: string | null;
  position?: number;
  recipients?: User[]; // of direct messages
  nsfw?: boolean;
  topic?: string | null;
  last_message_id?: string | null;
  permission_overwrites?: Overwrite[];
  thread_metadata?: { archived: boolean };
  owner_id: string;
  message_count?: number;
}

/** A guild as the store keeps it: everything in it by id. */
interface Guild {
  id: string;
  name: string;
  icon?: string | null;
  owner_id: string;
  preferred_locale?: string;
  roles: Map<string, Role>;
  channels: Map<string, Channel>;
  threads: Map<string, Channel>;
  members: Map<string, Member>;
}

/** A guild as the gateway sends it. */
interface GuildPayload {
  id: string;
  name: string;
  icon?: string | null;
  owner_id: string;
  preferred_locale?: string;
  unavailable?: boolean;
  properties?: object;
  roles: Role[];
  channels?: Channel[];
  threads?: Channel[];
  members?: Member[];
}

interface Emoji {
  id: string | null;
  name: string;
}

interface Reaction {
  emoji: Emoji;
  count: number;
  me: boolean;
}

interface Poll {
  question: { text: string };
  answers: { answer_id: number; poll_media: { text: string; emoji?: Emoji } }[];
  expiry: string;
  allow_multiselect: boolean;
  results: {
    is_finalized: boolean;
    answer_counts: { id: number; count: number; me_voted: boolean }[];
  };
}

/** An address of a picture or file, with what is known about it. */
interface Media {
  url: string;
  proxy_url?: string;
  width?: number | null;
  height?: number | null;
  content_type?: string;
  description?: string;
}

interface FileInfo {
  filename: string;
  size: number;
  url: string;
  description?: string;
  content_type?: string;
  flags?: number;
  spoiler?: boolean;
}

interface Attachment extends FileInfo {
  id: string;
  proxy_url?: string;
  width?: number | null;
  height?: number | null;
}

interface Embed {
  type: string;
  url?: string;
  title?: string;
  description?: string;
  color?: number;
  timestamp?: string;
  image?: Media;
  thumbnail?: Media;
  video?: Media;
  provider?: { name?: string };
  author?: EmbedAuthor;
  footer?: { text?: string };
  fields?: EmbedField[];
}

interface EmbedAuthor {
  name: string;
  url?: string;
  icon_url?: string;
  proxy_icon_url?: string;
}

interface EmbedField {
  name: string;
  value: string;
  inline?: boolean;
}

interface SelectOption {
  label: string;
  value: string;
  description?: string;
  default?: boolean;
}

interface MediaItem {
  media: Media;
  description?: string;
  spoiler?: boolean;
}

/** A message's or a form's component, of any kind. */
interface Component {
  type: number;
  id: number;
  custom_id: string;
  content: string;
  label: string;
  url: string;
  components: Component[];
  component: Component;
  items: MediaItem[];
  media: Media;
  file: Media;
  accessory?: Component;
  accent_color?: number | null;
  spoiler?: boolean;
  divider?: boolean;
  spacing?: number;
  style: number;
  disabled?: boolean;
  emoji?: Emoji;
  name?: string;
  size: number;
  description?: string;
  placeholder?: string;
  options?: SelectOption[];
  default_values?: { id: string }[];
  channel_types?: number[];
  min_values?: number;
  max_values?: number;
  min_length?: number;
  max_length?: number;
  required?: boolean;
  value?: string;
  default?: boolean;
}

/** What a button, a select or a field of a form sends. */
interface ComponentAnswer {
  type: number;
  id?: number;
  custom_id?: string;
  value?: unknown;
  values?: string[];
  component?: ComponentAnswer;
  components?: ComponentAnswer[];
}

interface Sticker {
  id: string;
  name: string;
  format_type: number;
  url?: string;
}

interface Asked {
  id: string;
  type?: number;
  name?: string;
  user?: User;
}

interface Message {
  id: string;
  channel_id: string;
  type: number;
  author: User;
  content: string;
  nonce?: string;
  member?: Member;
  flags?: number;
  application_id?: string;
  attachments: Attachment[];
  embeds?: Embed[];
  components?: Component[];
  sticker_items?: Sticker[];
  reactions?: Reaction[];
  poll?: Poll;
  mentions?: User[];
  mention_roles?: string[];
  mention_everyone?: boolean;
  edited_timestamp?: string | null;
  thread?: Channel;
  referenced_message?: Message | null;
  message_reference?: { guild_id?: string; channel_id: string; message_id: string };
  message_snapshots?: { message: Message & { timestamp: string } }[];
  interaction?: Asked;
  interaction_metadata?: Asked;
  /** Only of messages that were sent from here and are not confirmed yet. */
  sending?: boolean;
  uploading?: number;
  failed?: string;
  again?: () => void;
}

/** The body of a message that is being posted. */
interface MessagePayload {
  content: string;
  nonce: string;
  tts: boolean;
  message_reference?: { channel_id: string; guild_id: string; message_id: string };
  allowed_mentions?: { parse: string[]; replied_user: boolean };
  attachments?: { id: string; filename: string }[];
}

interface Application {
  id: string;
  name: string;
  bot?: User;
}

/** An option of a leaf has its name in the person's language; `wire` is the one that is sent. */
interface CommandOption {
  type: number;
  name: string;
  name_localized?: string;
  description: string;
  description_localized?: string;
  wire?: string;
  required?: boolean;
  autocomplete?: boolean;
  choices?: { name: string; name_localized?: string; value: string | number }[];
  options?: CommandOption[];
  channel_types?: number[];
  min_length?: number;
  max_length?: number;
  min_value?: number;
  max_value?: number;
}

interface Command {
  id: string;
  name: string;
  name_localized?: string;
  description: string;
  description_localized?: string;
  type?: number;
  version: string;
  guild_id?: string;
  application_id: string;
  application: Application;
  options?: CommandOption[];
}

interface CommandIndexPayload {
  applications: Application[];
  application_commands: Omit<Command, "application">[];
}

interface Modal {
  id: string;
  custom_id: string;
  title: string;
  channel_id?: string;
  application: Application;
  components: Component[];
}

// ---- the sandbox's own

/** A person to log in as, from /sandbox/people. */
interface Person {
  user: User;
  token: string;
  about?: string;
  guilds?: { roles?: string[] }[];
}

// ---- the page's own

interface Target {
  guildId: string;
  channelId: string;
  messageId: string | null;
}

/** The place where an interaction is started. */
interface Place {
  guildId: string;
  channelId: string;
}

/** What all views share: the parts, and functions of the App. */
interface Context {
  store: Store;
  api: Api;
  interactions: Interactions;
  commandIndex: CommandIndex;
  unlisted: Unlisted;
  messages: MessageList;
  signal: AbortSignal;
  go(target: Target): void;
  goGuild(guild: Guild): void;
  run(text: string): void;
  press(message: Message, component: Component, values?: string[]): Promise<string | null>;
  people(guild: Guild): Choice[];
  faceOf(application: Application): User;
  reply(message: Message): void;
  edit(message: Message): void;
  dismiss(message: Message): void;
  toggleReaction(message: Message, reaction: Pick<Reaction, "emoji" | "me">): void;
  vote(message: Message, answers: number[]): void;
  focusComposer(): void;
  send(channelId: string, payload: MessagePayload, files: File[], replied: Message | null): void;
  openChannelMenu(event: MouseEvent, channel: Channel): void;
  switchPerson(): void;
  personByUser(id: string): Person | undefined;
  become(person: Person): void;
  cycleTheme(): void;
}

/** The context of messages of the open channel. */
interface MessageContext extends Context {
  guild: Guild;
  channel: Channel;
  editing: string | null;
  saveEdit(message: Message, text: string): void;
  cancelEdit(): void;
}

/** The context of the components of one message. */
interface Scope extends MessageContext {
  message: Message;
}

/** The context of the pills of a command. */
interface FormContext {
  store: Store;
  guild: Guild;
  people(guild: Guild): Choice[];
  suggestions: Suggestions;
  autocomplete(
    leaf: Leaf,
    values: Record<string, unknown>,
    focused: string,
  ): Promise<{ name: string; value: string | number }[]>;
}

/** A command that can be run: one without subcommands, or one subcommand. */
interface Leaf {
  name: string;
  path: string[]; // the names that are sent
  description: string;
  options: CommandOption[];
  command: Command;
  application: Application;
}

interface Choice {
  label: string;
  value: string | number | boolean;
  detail?: string;
  face?: () => Node;
  channel?: Channel;
}

/** The value that was given for an option of a command. */
interface Given {
  value?: unknown;
  label?: string;
  problem?: string;
}

interface Suggestion<T = any> {
  label: string;
  detail?: string;
  hint?: string;
  face?: Node;
  data: T;
}

/** A line of a menu; null is a separator, and false or empty items are removed before. */
interface MenuItem {
  label?: string;
  heading?: string;
  note?: string;
  detail?: string;
  icon?: IconName;
  danger?: boolean;
  run?: () => void;
  items?: MenuItem[];
}

/** A picture, as shown by a tile. */
interface Picture {
  key: string;
  name: string;
  alt: string;
  spoiler: boolean;
  href: string | null;
  src: string | null;
  spare: string | null;
  width: number | null;
  height: number | null;
  video: boolean;
}

interface Dialog {
  close(): void;
  say(sentence: string): void;
  busy(on: boolean): void;
}

interface DialogAction {
  label: string;
  style?: string;
  run(close: () => void): void;
}

/** A command that was sent and is not answered yet, or that failed. */
interface Notice {
  id?: string;
  nonce: string;
  channelId: string;
  label: string;
  failure: string | null;
}

/** A node of the markdown tree; its fields depend on its type. */
interface MarkdownNode {
  type: string;
  text?: any;
  children?: any;
  [field: string]: any;
}

type Child = Node | string | number | bigint | boolean | null | undefined | readonly Child[];

type Handlers = {
  [Name in keyof HTMLElementEventMap as `on${Name}`]?:
    | ((event: HTMLElementEventMap[Name] & { currentTarget: HTMLElement }) => unknown)
    | null;
};

/** What `h` sets on an element. */
interface Properties extends Handlers {
  class?: string;
  dataset?: Record<string, string | number | undefined>;
  style?: Record<string, string | number | null | undefined>;
  [attribute: string]: any;
}

/** The element that `h("tag.class")` makes. */
type ElementOf<Spec extends string> = Spec extends `${infer Tag}.${string}`
  ? ElementOf<Tag>
  : Spec extends keyof HTMLElementTagNameMap
    ? HTMLElementTagNameMap[Spec]
    : HTMLElement;

/** MESSAGE_POLL_VOTE_ADD and _REMOVE. */
interface VoteEvent {
  channel_id: string;
  message_id: string;
  user_id: string;
  answer_id: number;
}

/** MESSAGE_REACTION_ADD and _REMOVE. */
interface ReactionEvent {
  channel_id: string;
  message_id: string;
  user_id: string;
  emoji: Emoji;
}

/** An interaction that is being sent. */
interface InteractionRequest {
  nonce: string;
  guildId: string;
  channelId: string;
  applicationId: string;
  data: object;
  files?: File[];
  extra?: object;
}
