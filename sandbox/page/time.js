/**
 * Dates for people. The page's own are in English, with the region's order of day and month; those in a message are in
 * the language of who reads it.
 */

const LOCALE = navigator.language?.startsWith("en") ? navigator.language : "en-GB";
const DAY_MS = 86_400_000;

/** @type {Record<string, Intl.DateTimeFormatOptions>} */
const formats = {
  t: { hour: "2-digit", minute: "2-digit" },
  T: { hour: "2-digit", minute: "2-digit", second: "2-digit" },
  d: { day: "2-digit", month: "2-digit", year: "numeric" },
  D: { day: "numeric", month: "long", year: "numeric" },
  f: { day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit" },
  F: {
    weekday: "long",
    day: "numeric",
    month: "long",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
  },
};
/** @param {string} locale */
const makeWriters = (locale) => ({
  formatters: Object.fromEntries(
    Object.entries(formats).map(([style, options]) => [style, new Intl.DateTimeFormat(locale, options)]),
  ),
  relative: new Intl.RelativeTimeFormat(locale, { numeric: "auto" }),
});
/** @type {Map<string, ReturnType<typeof makeWriters>>} */
const writers = new Map();
const { formatters } = writersIn(LOCALE);
/** @type {[Intl.RelativeTimeFormatUnit, number][]} */
const UNITS = [
  ["year", 365 * DAY_MS],
  ["month", 30 * DAY_MS],
  ["week", 7 * DAY_MS],
  ["day", DAY_MS],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1000],
];

/**
 * What writes dates in a language; English ones are the page's own.
 * @param {string} locale
 */
function writersIn(locale) {
  const language = locale.startsWith("en") ? LOCALE : locale;
  const known = writers.get(language) ?? makeWriters(language);
  writers.set(language, known);
  return known;
}

/**
 * A <t:…:style> timestamp; styles as in Discord: t T d D f F R.
 * @param {Date} date
 * @param {string} [style]
 * @param {string} [locale]
 */
export function formatTimestamp(date, style = "f", locale = LOCALE) {
  if (style === "R") return formatRelative(date, locale);
  const { formatters } = writersIn(locale);
  return (formatters[style] ?? formatters.f).format(date);
}

/**
 * @param {Date} date
 * @param {string} [locale]
 * @param {number} [now]
 */
export function formatRelative(date, locale = LOCALE, now = Date.now()) {
  const { relative } = writersIn(locale);
  const distance = date.getTime() - now;
  const [unit, size] = UNITS.find(([, ms]) => Math.abs(distance) >= ms) ?? UNITS[UNITS.length - 1];
  return relative.format(Math.round(distance / size), unit);
}

/**
 * "14:03", "Yesterday at 14:03", or the date, for the place beside an author's name.
 * @param {Date} date
 */
export function formatMoment(date) {
  const days = daysAgo(date);
  const clock = formatters.t.format(date);
  if (days === 0) return `Today at ${clock}`;
  if (days === 1) return `Yesterday at ${clock}`;
  return `${formatters.d.format(date)} ${clock}`;
}

/** @param {Date} date */
export const formatClock = (date) => formatters.t.format(date);
/** @param {Date} date */
export const formatDay = (date) => formatters.D.format(date);
/** @param {Date} date */
export const formatFull = (date) => formatters.F.format(date);
/**
 * @param {Date} a
 * @param {Date} b
 */
export const isSameDay = (a, b) => a.toDateString() === b.toDateString();

/** @param {Date} date */
function daysAgo(date) {
  /** @param {Date} moment */
  const midnight = (moment) => new Date(moment.getFullYear(), moment.getMonth(), moment.getDate());
  return Math.round((midnight(new Date()).getTime() - midnight(date).getTime()) / DAY_MS);
}
