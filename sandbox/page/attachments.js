/** A message's attachments: pictures as a gallery, everything else as a card to download. */

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { gallery, local, pictureOf } from "./media.js";
import { FLAG } from "./timeline.js";

const UNITS = ["bytes", "KB", "MB", "GB"];

/** @param {Message} message */
export function attachments(message) {
  const files = message.attachments ?? [];
  const pictures = files.filter(isPicture);
  const others = files.filter((file) => !isPicture(file));
  return [
    pictures.length > 0 && gallery(pictures.map((file) => pictureOfAttachment(file))),
    others.map(fileCard),
  ];
}

/** @param {FileInfo} file */
export function isSpoiler(file) {
  return (
    file.filename.startsWith("SPOILER_") || Boolean((file.flags ?? 0) & FLAG.spoiler) || Boolean(file.spoiler)
  );
}

/**
 * Whether it is shown and not only named. HEIC isn't: as in Discord, it is a file.
 * @param {FileInfo} file
 */
export function isPicture(file) {
  if (/\.hei[cf]$/i.test(file.filename) || /^image\/hei[cf]/.test(file.content_type ?? "")) return false;
  return (
    /^(image|video)\//.test(file.content_type ?? "") ||
    /\.(png|jpe?g|gif|webp|avif|mp4|webm)$/i.test(file.filename)
  );
}

/** @param {Attachment} file */
function pictureOfAttachment(file) {
  return pictureOf(file, {
    key: file.id,
    name: file.filename.replace(/^SPOILER_/, ""),
    alt: file.description ?? "",
    spoiler: isSpoiler(file),
  });
}

/** @param {FileInfo} file */
export function fileCard(file) {
  const href = local(file.url);
  return h(
    "a.file-card",
    { href, download: file.filename, target: "_blank", rel: "noopener noreferrer" },
    icon("file"),
    h("span", {}, h("b", {}, file.filename), h("small", {}, formatBytes(file.size))),
  );
}

/** @param {number} bytes */
export function formatBytes(bytes) {
  if (!Number.isFinite(bytes)) return "";
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const value = bytes / 1024 ** power;
  return `${value.toFixed(power && value < 10 ? 1 : 0)} ${UNITS[power]}`;
}
