// discord.js as a bot of the sandbox. test_libraries.py starts it with the sandbox's address.
//
//     node discordjs.mjs URL BOT_TOKEN PERSON_TOKEN
//
// Each check prints a line of JSON: {"check": name} or {"check": name, "failed": why}.

import assert from "node:assert/strict";
import { once } from "node:events";
import {
  ActionRowBuilder,
  ApplicationCommandOptionType,
  AttachmentBuilder,
  ButtonBuilder,
  ButtonStyle,
  ChannelType,
  Client,
  ContainerBuilder,
  EmbedBuilder,
  Events,
  GatewayIntentBits,
  MediaGalleryBuilder,
  MessageFlags,
  MessageType,
  ModalBuilder,
  PermissionFlagsBits,
  REST,
  SortOrderType,
  StringSelectMenuBuilder,
  TextDisplayBuilder,
  TextInputBuilder,
  TextInputStyle,
} from "discord.js";

const [url, token, personToken] = process.argv.slice(2);
const api = `${url}/api`;
const PATIENCE_MS = 20_000;
// a picture of one pixel
const PIXEL = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

const client = new Client({
  intents: Object.values(GatewayIntentBits).filter((bit) => typeof bit === "number"),
  rest: { api, retries: 0 },
});
client.on(Events.Error, (error) => report("no error of the client", error));

/** What the checks share: the guild, a channel, and the person's id. */
const world = {};

// ---- the person who uses the bot

async function asPerson(method, path, body) {
  const answer = await fetch(`${api}/v10${path}`, {
    method,
    headers: { authorization: personToken, "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return text ? JSON.parse(text) : null;
}

/** Sends an interaction as the person, and gives back discord.js's object of it. */
async function interact(type, data, more = {}) {
  const arrived = next(Events.InteractionCreate);
  await asPerson("POST", "/interactions", {
    type,
    data,
    application_id: client.application.id,
    guild_id: world.guild.id,
    channel_id: world.channel.id,
    session_id: "none",
    nonce: "1",
    ...more,
  });
  return arrived;
}

const command = (name, type, more = {}) =>
  interact(2, { id: world.commands.get(name).id, name, type, options: [], ...more });
const click = (message, component, more = {}) =>
  interact(
    3,
    { component_type: component.type, custom_id: component.customId, ...more },
    { message_id: message.id, message_flags: message.flags.bitfield },
  );

/** The first argument of the next event that `wanted` accepts. */
async function next(event, wanted = () => true) {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  for (;;) {
    const [first, second] = await once(client, event, { signal });
    if (wanted(first, second)) return second ?? first;
  }
}

// ---- the checks, in their order

const checks = {
  async "logs in and knows the server"() {
    const ready = next(Events.ClientReady);
    await client.login(token);
    await ready;
    assert.equal(client.guilds.cache.size, 1);
    world.guild = client.guilds.cache.first();
    world.channel = world.guild.channels.cache.find((one) => one.name === "general");
    assert.equal(world.guild.name, "The Nest");
    assert.equal(world.channel.topic, null);
    assert.equal(world.guild.channels.cache.filter((one) => one.isThread()).size, 2);
    assert.ok(world.guild.members.me.permissions.has(PermissionFlagsBits.Administrator));
    assert.ok(client.application.id);
  },

  async "fetches the server with counts"() {
    const listed = await client.guilds.fetch();
    assert.equal(listed.first().name, "The Nest");
    const guild = await client.guilds.fetch({ guild: world.guild.id, withCounts: true, force: true });
    assert.equal(guild.approximateMemberCount, 4);
    assert.ok(guild.approximatePresenceCount >= 1);
  },

  async "fetches members, roles and channels"() {
    const members = await world.guild.members.fetch();
    assert.deepEqual([...members.map((one) => one.user.username)].sort(), ["ada", "magpie", "mei", "mod"]);
    world.person = members.find((one) => one.user.username === "ada");
    assert.equal((await world.guild.members.fetch(world.person.id)).id, world.guild.ownerId);
    assert.equal((await world.guild.members.search({ query: "me" })).first().user.username, "mei");
    const roles = await world.guild.roles.fetch();
    assert.ok(roles.find((one) => one.name === "Moderators"));
    const channels = await world.guild.channels.fetch();
    assert.equal(channels.find((one) => one.name === "trips").type, ChannelType.GuildForum);
    assert.equal((await client.users.fetch(world.person.id, { force: true })).username, "ada");
  },

  async "changes channels, and sets them back to nothing"() {
    const made = await world.guild.channels.create({ name: "birds", topic: "tits", rateLimitPerUser: 5 });
    assert.equal(made.topic, "tits");
    await made.edit({ topic: null, rateLimitPerUser: 0, defaultAutoArchiveDuration: 60 });
    const again = await client.channels.fetch(made.id, { force: true });
    assert.deepEqual([again.topic, again.rateLimitPerUser, again.defaultAutoArchiveDuration], [null, 0, 60]);
    await made.setNSFW(true);
    await made.permissionOverwrites.create(world.person.id, { SendMessages: false });
    const closed = await client.channels.fetch(made.id, { force: true });
    assert.equal(closed.permissionOverwrites.cache.size, 1);
    await made.permissionOverwrites.delete(world.person.id);
    await made.setPosition(0);
    const category = await world.guild.channels.create({ name: "Old", type: ChannelType.GuildCategory });
    await made.setParent(category.id);
    const voice = await world.guild.channels.create({ name: "song", type: ChannelType.GuildVoice, userLimit: 3 });
    assert.equal(voice.userLimit, 3);
    const gone = next(Events.ChannelDelete, (one) => one.id === made.id);
    await made.delete();
    await gone;
  },

  async "makes and paints roles"() {
    const colors = { primaryColor: 0xff0000, secondaryColor: 0x00ff00 };
    const role = await world.guild.roles.create({ name: "painters", colors });
    assert.deepEqual([role.colors.primaryColor, role.colors.secondaryColor], [0xff0000, 0x00ff00]);
    await role.edit({ colors: { primaryColor: 0 }, hoist: true });
    const again = (await world.guild.roles.fetch(role.id, { force: true })).toJSON();
    assert.deepEqual([again.colors.primaryColor, again.colors.secondaryColor, again.hoist], [0, null, true]);
    await role.setPosition(1);
    await world.person.roles.add(role);
    assert.ok((await world.person.fetch(true)).roles.cache.has(role.id));
    await world.person.roles.remove(role);
    await role.delete();
  },

  async "posts pictures, embeds and buttons"() {
    const file = new AttachmentBuilder(PIXEL, { name: "pixel.png", description: "a dot" });
    const embed = new EmbedBuilder()
      .setTitle("Birds")
      .setColor(0xff0000)
      .setTimestamp()
      .setFooter({ text: "foot", iconURL: "attachment://pixel.png" })
      .setAuthor({ name: "ada" })
      .setThumbnail("attachment://pixel.png")
      .addFields({ name: "a", value: "b" }, { name: "c", value: "d", inline: true });
    const button = new ButtonBuilder().setCustomId("go").setLabel("Go").setStyle(ButtonStyle.Primary);
    const components = [new ActionRowBuilder().addComponents(button)];
    const seen = next(Events.MessageCreate);
    const message = await world.channel.send({ content: "look", files: [file], embeds: [embed], components });
    assert.equal((await seen).id, message.id);
    const [shown] = message.embeds;
    assert.deepEqual(shown.fields.map((one) => one.inline), [false, true]);
    for (const address of [shown.thumbnail.url, shown.footer.iconURL])
      assert.equal((await fetch(address)).status, 200);
    assert.equal(message.components[0].components[0].customId, "go");
    const plain = await world.channel.send({ files: [file] });
    assert.deepEqual([plain.attachments.first().width, plain.attachments.first().description], [1, "a dot"]);
    world.message = message;
  },

  async "posts components of the second version"() {
    const container = new ContainerBuilder()
      .addTextDisplayComponents(new TextDisplayBuilder().setContent("# Birds"))
      .addMediaGalleryComponents(new MediaGalleryBuilder().addItems({ media: { url: "attachment://pixel.png" } }));
    const files = [new AttachmentBuilder(PIXEL, { name: "pixel.png" })];
    const message = await world.channel.send({ flags: MessageFlags.IsComponentsV2, components: [container], files });
    assert.equal(message.components[0].components[1].items[0].media.data.width, 1);
  },

  async "reads, replies, edits and deletes"() {
    const posted = await asPerson("POST", `/channels/${world.channel.id}/messages`, { content: "who?" });
    const asked = await world.channel.messages.fetch(posted.id);
    const reply = await asked.reply("me");
    assert.equal(reply.type, MessageType.Reply);
    assert.equal((await reply.fetchReference()).id, asked.id);
    const edited = next(Events.MessageUpdate, (one) => one.id === reply.id);
    await reply.edit("not me");
    assert.equal((await edited).content, "not me");
    assert.ok((await world.channel.messages.fetch({ limit: 3 })).has(reply.id));
    const deleted = next(Events.MessageDelete, (one) => one.id === reply.id);
    await reply.delete();
    await deleted;
    const many = await Promise.all([1, 2].map((n) => world.channel.send(`${n}`)));
    const bulk = next(Events.MessageBulkDelete, (messages) => messages.size !== undefined);
    await world.channel.bulkDelete(many);
    await bulk;
    await assert.rejects(world.channel.messages.fetch(reply.id), { code: 10008 });
    await asked.forward(world.channel);
  },

  async "posts a message with one nonce once"() {
    const wanted = { content: "once", nonce: "n-1", enforceNonce: true };
    const first = await world.channel.send(wanted);
    assert.equal((await world.channel.send(wanted)).id, first.id);
  },

  async "sees reactions and types"() {
    const added = next(Events.MessageReactionAdd);
    await world.message.react("👍");
    assert.equal((await added).id, client.user.id);
    const path = `/channels/${world.channel.id}/messages/${world.message.id}/reactions/%F0%9F%90%A6/@me`;
    const theirs = next(Events.MessageReactionAdd);
    await asPerson("PUT", path);
    assert.equal((await theirs).id, world.person.id);
    const reaction = world.message.reactions.cache.get("👍");
    assert.equal((await reaction.users.fetch()).size, 1);
    await reaction.users.remove(client.user.id);
    await world.message.reactions.cache.get("🐦").remove();
    await world.message.react("👎");
    await world.message.reactions.removeAll();
    assert.equal((await world.message.fetch(true)).reactions.cache.size, 0);
    await world.channel.sendTyping();
  },

  async "pins and unpins"() {
    const changed = next(Events.ChannelPinsUpdate, (channel) => channel.id === world.channel.id);
    await world.message.pin();
    assert.ok(await changed);
    const pins = await world.channel.messages.fetchPins();
    assert.equal(pins.items[0].message.id, world.message.id);
    assert.ok((await client.channels.fetch(world.channel.id, { force: true })).lastPinAt);
    await world.message.unpin();
    assert.equal((await world.channel.messages.fetchPins()).items.length, 0);
  },

  async "posts a poll, sees the votes, ends it"() {
    const answers = [{ text: "magpie", emoji: "🐦" }, { text: "jay" }];
    const poll = { question: { text: "Which bird?" }, answers, duration: 2, allowMultiselect: false };
    const message = await world.channel.send({ poll });
    assert.equal(message.poll.answers.size, 2);
    const voted = next(Events.MessagePollVoteAdd);
    const path = `/channels/${world.channel.id}/polls/${message.id}/answers/@me`;
    await asPerson("PUT", path, { answer_ids: ["1"] });
    await voted;
    const again = await message.fetch(true);
    assert.equal(again.poll.answers.get(1).voteCount, 1);
    assert.equal((await again.poll.answers.get(1).voters.fetch()).first().id, world.person.id);
    const result = next(Events.MessageCreate, (one) => one.type === MessageType.PollResult);
    assert.ok((await again.poll.end()).poll.resultsFinalized);
    await result;
  },

  async "starts threads, and lists the archived"() {
    const made = next(Events.ThreadCreate);
    const thread = await world.message.startThread({ name: "talk", rateLimitPerUser: 7 });
    await made;
    assert.deepEqual([thread.id, thread.rateLimitPerUser], [world.message.id, 7]);
    await thread.send("in here");
    await thread.members.add(world.person.id);
    assert.ok((await thread.members.fetch()).has(world.person.id));
    assert.equal((await thread.fetchStarterMessage()).id, world.message.id);
    await thread.setArchived(true);
    const { threads } = await world.channel.threads.fetchArchived();
    assert.ok(threads.has(thread.id));
    const secret = await world.channel.threads.create({ name: "shh", type: ChannelType.PrivateThread });
    assert.ok((await world.channel.threads.fetchActive()).threads.has(secret.id));
    await secret.leave();
    await secret.delete();
  },

  async "posts in a forum, with tags"() {
    let forum = world.guild.channels.cache.find((one) => one.name === "trips");
    forum = await forum.setAvailableTags([{ name: "Rome", emoji: { name: "🏛" } }, { name: "official", moderated: true }]);
    assert.deepEqual(forum.availableTags.map((one) => [one.name, one.moderated]), [["Rome", false], ["official", true]]);
    await forum.setDefaultReactionEmoji({ name: "🐦" });
    await forum.setDefaultSortOrder(SortOrderType.CreationDate);
    const [rome, official] = forum.availableTags;
    const post = await forum.threads.create({ name: "Day 1", message: { content: "hi" }, appliedTags: [rome.id] });
    assert.deepEqual(post.appliedTags, [rome.id]);
    await post.setAppliedTags([official.id]);
    await post.pin();
    const again = await client.channels.fetch(post.id, { force: true });
    assert.deepEqual([again.appliedTags, again.flags.has("Pinned")], [[official.id], true]);
    assert.equal((await client.channels.fetch(forum.id, { force: true })).defaultReactionEmoji.name, "🐦");
  },

  async "registers commands"() {
    const string = { type: ApplicationCommandOptionType.String, name: "text", description: "a text" };
    const attachment = { type: ApplicationCommandOptionType.Attachment, name: "picture", description: "a picture" };
    const user = { type: ApplicationCommandOptionType.User, name: "member", description: "a member" };
    const commands = await client.application.commands.set([
      { name: "say", description: "Says it", options: [{ ...string, autocomplete: true }, user, attachment] },
      { name: "Quote", type: 3 },
    ]);
    world.commands = new Map(commands.map((one) => [one.name, one]));
    assert.equal((await client.application.commands.fetch()).size, 2);
    const own = await world.guild.commands.create({ name: "here", description: "Only here" });
    await own.edit({ description: "Here only" });
    await own.delete();
  },

  async "answers a command"() {
    const options = [
      { type: 3, name: "text", value: "hello" },
      { type: 6, name: "member", value: world.person.id },
    ];
    const asked = await command("say", 1, { options });
    assert.equal(asked.options.getString("text"), "hello");
    assert.equal(asked.options.getMember("member").id, world.person.id);
    const { resource } = await asked.reply({ content: "hello", withResponse: true });
    assert.equal(resource.message.interactionMetadata.user.id, world.person.id);
    const further = await asked.followUp({ content: "and", flags: MessageFlags.Ephemeral });
    assert.ok(further.flags.has(MessageFlags.Ephemeral));
    assert.equal((await asked.fetchReply()).content, "hello");
    await assert.rejects(asked.client.rest.post(`/interactions/${asked.id}/${asked.token}/callback`, { body: { type: 5 }, auth: false }), { code: 40060 });
    await asked.deleteReply();
  },

  async "defers, edits and attaches"() {
    const asked = await command("say", 1);
    await asked.deferReply();
    const files = [new AttachmentBuilder(PIXEL, { name: "pixel.png" })];
    const message = await asked.editReply({ content: "done", files });
    assert.equal(message.attachments.size, 1);
    const menu = await command("Quote", 3, { target_id: world.message.id });
    assert.equal(menu.targetMessage.id, world.message.id);
    await menu.deferReply({ flags: MessageFlags.Ephemeral });
    await menu.editReply("quoted");
  },

  async "suggests choices"() {
    const options = [{ type: 3, name: "text", value: "he", focused: true }];
    const asked = await interact(4, { id: world.commands.get("say").id, name: "say", type: 1, options });
    assert.equal(asked.options.getFocused(), "he");
    await asked.respond([{ name: "hello", value: "hello" }]);
  },

  async "answers buttons, menus and forms"() {
    const select = new StringSelectMenuBuilder().setCustomId("pick").addOptions({ label: "one", value: "1" });
    const message = await world.channel.send({
      content: "choose",
      components: [
        new ActionRowBuilder().addComponents(new ButtonBuilder().setCustomId("b").setLabel("B").setStyle(ButtonStyle.Secondary)),
        new ActionRowBuilder().addComponents(select),
      ],
    });
    const [button, menu] = message.components.map((row) => row.components[0]);
    const clicked = await click(message, button);
    await clicked.update({ content: "clicked" });
    const picked = await click(message, menu, { values: ["1"] });
    assert.deepEqual(picked.values, ["1"]);
    await picked.deferUpdate();
    await picked.followUp("picked");
    const asked = await click(message, button);
    const input = new TextInputBuilder().setCustomId("why").setLabel("Why?").setStyle(TextInputStyle.Short);
    const modal = new ModalBuilder().setCustomId("form").setTitle("Form");
    await asked.showModal(modal.addComponents(new ActionRowBuilder().addComponents(input)));
    const components = [{ type: 1, components: [{ type: 4, custom_id: "why", value: "because" }] }];
    const submitted = await interact(5, { id: asked.id, custom_id: "form", components });
    assert.equal(submitted.fields.getTextInputValue("why"), "because");
    await submitted.reply({ content: "thanks", flags: MessageFlags.Ephemeral });
  },

  async "resumes after a break and after an invalid session"() {
    for (const fault of [{ kind: "gateway_drop" }, { kind: "gateway_reconnect" }, { kind: "gateway_invalid", resumable: true }]) {
      const resumed = once(client, Events.ShardResume, { signal: AbortSignal.timeout(PATIENCE_MS) });
      const arrived = next(Events.MessageCreate, (one) => one.content === fault.kind);
      await fetch(`${url}/sandbox/faults`, { method: "PUT", body: JSON.stringify(fault) });
      await asPerson("POST", `/channels/${world.channel.id}/messages`, { content: fault.kind });
      await Promise.all([resumed, arrived]);
    }
  },

  async "writes direct messages"() {
    const direct = await world.person.createDM();
    const written = await direct.send("only for you");
    assert.equal((await direct.messages.fetch(written.id)).content, "only for you");
  },

  async "gets discords errors"() {
    const rest = new REST({ api }).setToken(token);
    await assert.rejects(rest.get("/nonsense"), { status: 404, code: 0 });
    await assert.rejects(world.channel.send(""), { code: 50006 });
    await assert.rejects(client.channels.fetch("1"), { code: 10003 });
    await assert.rejects(world.channel.messages.fetch("1"), { status: 404, code: 10008 });
  },
};

function report(check, error) {
  console.log(JSON.stringify(error ? { check, failed: error.stack ?? String(error) } : { check }));
}

for (const [name, check] of Object.entries(checks)) {
  try {
    await check();
    report(name);
  } catch (error) {
    report(name, error);
    if (!world.guild) break;
  }
}
await client.destroy();
process.exit(0);
