/** Embeds: unfurled links and the cards that bots sent before components. */

import { h } from "./dom.js";
import { gallery, local, pictureOf, thumbnail } from "./media.js";
import { cssColour } from "./people.js";
import { link, prose } from "./prose.js";
import { formatMoment } from "./time.js";

/**
 * @param {Message} message
 * @param {MessageContext} context
 */
export function embeds(message, context) {
  return (message.embeds ?? []).map((embed, index) => drawEmbed(embed, `${message.id}:e${index}`, context));
}

/**
 * @param {Embed} embed
 * @param {string} key
 * @param {MessageContext} context
 */
function drawEmbed(embed, key, context) {
  const bare = isBarePicture(embed);
  if (bare) return gallery([embedPicture(bare, `${key}:image`, embed)]);
  const small =
    embed.thumbnail && embed.type !== "article" && embed.type !== "video" ? embed.thumbnail : null;
  const large =
    embed.image ??
    (small ? null : embed.video?.width && local(embed.video.url) ? embed.video : embed.thumbnail);
  return h(
    "article.embed",
    { style: { "--accent-bar": embed.color ? cssColour(embed.color) : null } },
    h(
      "div.embed-text",
      {},
      embed.provider?.name && h("p.embed-provider", {}, embed.provider.name),
      embed.author?.name && drawAuthor(embed.author, context),
      embed.title &&
        h(
          "h4",
          {},
          embed.url ? link(embed.url, prose(embed.title, context), context) : prose(embed.title, context),
        ),
      embed.description && h("div.embed-description", {}, prose(embed.description, context)),
      embed.fields &&
        embed.fields.length > 0 &&
        h(
          "dl",
          {},
          embed.fields.map((field) => drawField(field, context)),
        ),
    ),
    small && thumbnail(embedPicture(small, `${key}:thumbnail`, embed)),
    large && h("div.embed-picture", {}, gallery([embedPicture(large, `${key}:image`, embed)])),
    (embed.footer?.text || embed.timestamp) && drawFooter(embed),
  );
}

/**
 * For a direct link to a picture, or a GIF, only the picture is shown.
 * @param {Embed} embed
 */
function isBarePicture(embed) {
  if (embed.type === "gifv")
    return local(embed.video?.proxy_url ?? embed.video?.url) ? embed.video : embed.thumbnail;
  if (embed.type === "image") return embed.image ?? embed.thumbnail;
  return null;
}

/**
 * @param {Media} media
 * @param {string} key
 * @param {Embed} embed
 */
function embedPicture(media, key, embed) {
  // the picture of a link is on another site, so the proxy's copy is shown
  const shown = { ...media, url: (local(media.proxy_url) && media.proxy_url) || media.url };
  return pictureOf(shown, { key, name: embed.title ?? "", alt: media.description ?? embed.title ?? "" });
}

/**
 * @param {EmbedAuthor} author
 * @param {MessageContext} context
 */
function drawAuthor({ name, url, icon_url: iconUrl, proxy_icon_url: proxyUrl }, context) {
  const face = local(proxyUrl) ?? local(iconUrl);
  return h(
    "p.embed-author",
    {},
    face && h("img", { src: face, alt: "", width: 24, height: 24 }),
    url ? link(url, name, context) : name,
  );
}

/**
 * @param {EmbedField} field
 * @param {MessageContext} context
 */
function drawField({ name, value, inline }, context) {
  return h(
    "div",
    { class: inline ? "inline" : "" },
    h("dt", {}, prose(name, context)),
    h("dd", {}, prose(value, context)),
  );
}

/** @param {Embed} embed */
function drawFooter({ footer, timestamp }) {
  const moment = timestamp ? formatMoment(new Date(timestamp)) : null;
  return h("p.embed-footer", {}, [footer?.text, moment].filter(Boolean).join(" · "));
}
