/**
 * Pictures: tiles, galleries, spoiler covers. Everything is loaded from this origin, where the
 * sandbox has its CDN and its media proxy.
 */

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { openLightbox } from "./lightbox.js";

const MAX_WIDTH_PX = 520;
const MAX_HEIGHT_PX = 360;
const MIN_SIDE_PX = 60; // so that a tiny picture can be clicked
const revealed = new Set(); // spoilers that were opened, so that a redrawn message keeps them open

/**
 * The address on this origin, or null. An address of the CDN may have another host name.
 * @param {string | null | undefined} url
 */
export function local(url) {
  if (!url) return null;
  const { origin, pathname, search, protocol } = new URL(url, location.href);
  if (protocol === "blob:" || origin === location.origin) return url;
  return /^\/(cdn|media)\//.test(pathname) ? pathname + search : null;
}

/**
 * What a tile needs, from an attachment, an embed's image or a component's media.
 * `key` names the picture within its message, to remember opened spoilers.
 * @param {Media} media
 * @param {{ key: string, name?: string, alt?: string, spoiler?: boolean }} options
 */
export function pictureOf(media, { key, name = "", alt = "", spoiler = false }) {
  const href = local(media.url) ?? local(media.proxy_url);
  return {
    key,
    name,
    alt,
    spoiler,
    href,
    src: href,
    spare: local(media.proxy_url),
    width: media.width || null,
    height: media.height || null,
    video: (media.content_type ?? "").startsWith("video/") || /\.(mp4|webm|mov)(\?|$)/i.test(media.url ?? ""),
  };
}

/**
 * One picture in its own shape, or several as a mosaic. A click opens the lightbox.
 * @param {Picture[]} pictures
 */
export function gallery(pictures) {
  const tiles = pictures.map((picture, index) => tile(picture, () => enlarge(pictures, index)));
  if (pictures.length === 1) return h("div.single", {}, fitted(tiles[0], pictures[0]));
  return h("div.mosaic", { dataset: { count: Math.min(pictures.length, 10) } }, tiles);
}

/**
 * A small square picture beside a text.
 * @param {Picture} picture
 */
export function thumbnail(picture) {
  const element = tile(picture, () => enlarge([picture], 0));
  element.classList.add("thumbnail");
  return element;
}

/**
 * @param {Picture[]} pictures
 * @param {number} index
 */
function enlarge(pictures, index) {
  const shown = pictures.filter((picture) => picture.src && !picture.video && !isCovered(picture));
  openLightbox(shown, Math.max(0, shown.indexOf(pictures[index])));
}

/**
 * Give the tile the picture's shape before it is loaded, so that nothing moves.
 * @param {HTMLElement} element
 * @param {Picture} picture
 */
function fitted(element, { width, height }) {
  if (!width || !height) {
    element.classList.add("unsized");
    return element;
  }
  const scale = Math.min(1, MAX_WIDTH_PX / width, MAX_HEIGHT_PX / height);
  element.style.width = `${Math.max(MIN_SIDE_PX, Math.round(width * scale))}px`;
  element.style.aspectRatio = `${width} / ${height}`;
  return element;
}

/**
 * @param {Picture} picture
 * @param {() => void} open
 */
function tile(picture, open) {
  if (!picture.src)
    return lostTile(picture, "This picture lies on another server; the sandbox does not fetch it.");
  if (picture.video) return videoTile(picture);
  const label = picture.alt || picture.name || "Picture";
  const element = h(
    "button.tile",
    {
      type: "button",
      title: picture.alt || picture.name || null,
      "aria-label": label,
      dataset: { key: picture.key },
    },
    imageOf(picture),
  );
  if (isCovered(picture)) cover(element, label);
  element.addEventListener("click", () => (isCovered(picture) ? uncover(element, picture, label) : open()));
  return element;
}

/** @param {Picture} picture */
function imageOf(picture) {
  const image = h("img", {
    src: picture.src,
    alt: picture.alt,
    loading: "lazy",
    decoding: "async",
    draggable: "false",
    width: picture.width,
    height: picture.height,
  });
  let spare = picture.spare === picture.src ? null : picture.spare;
  image.addEventListener("error", () => {
    if (spare) {
      image.src = spare;
      spare = null;
    } else {
      image.replaceWith(lostTile(picture, whyLost(picture)));
    }
  });
  return image;
}

/** @param {Picture} picture */
function whyLost({ src }) {
  return /\.hei[cf](\?|$)/i.test(src ?? "")
    ? "Browsers show no HEIC pictures. The message has the file."
    : "This picture could not be loaded.";
}

/** @param {Picture} picture */
function videoTile(picture) {
  const attributes = {
    src: picture.src,
    loop: true,
    muted: true,
    controls: true,
    playsinline: true,
    preload: "metadata",
    "aria-label": picture.alt || picture.name || "Video",
  };
  return h("span.tile.tile-video", {}, h("video", attributes));
}

/**
 * @param {Picture} picture
 * @param {string} sentence
 */
function lostTile(picture, sentence) {
  return h(
    "span.tile.tile-lost",
    { role: "img", "aria-label": sentence, title: sentence },
    icon("picture"),
    h("span", {}, picture.name || sentence),
  );
}

/** @param {Picture} picture */
const isCovered = (picture) => picture.spoiler && !revealed.has(picture.key);

/**
 * @param {HTMLElement} element
 * @param {string} label
 */
function cover(element, label) {
  element.classList.add("covered");
  element.setAttribute("aria-label", `Spoiler: ${label}. Press to show.`);
  element.append(h("span.spoiler-badge", { "aria-hidden": "true" }, "Spoiler"));
}

/**
 * @param {HTMLElement} element
 * @param {Picture} picture
 * @param {string} label
 */
function uncover(element, picture, label) {
  revealed.add(picture.key);
  element.classList.remove("covered");
  element.setAttribute("aria-label", label);
  element.querySelector(".spoiler-badge")?.remove();
}
