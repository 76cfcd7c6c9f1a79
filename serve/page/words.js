/** Sentences with numbers and dates in them. */

const LOCALE = navigator.language.startsWith("en") ? navigator.language : "en-GB"; // the page is in English
const NUMBER = new Intl.NumberFormat(LOCALE);
const MONTH = new Intl.DateTimeFormat(LOCALE, { month: "long", year: "numeric" });
const SHORT_MONTH = new Intl.DateTimeFormat(LOCALE, { month: "short" });
const DAY = new Intl.DateTimeFormat(LOCALE, {
  weekday: "long",
  day: "numeric",
  month: "long",
  year: "numeric",
});
const TOLD_AFTER = 30; // pictures, before it is told how long the others will take
const TIME = new Intl.DateTimeFormat(LOCALE, { hour: "numeric", minute: "2-digit" });

/** @param {number} value */
export const number = (value) => NUMBER.format(value);

/**
 * @param {number} count
 * @param {string} one
 * @param {string} [many]
 */
export const counted = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;

/** "2024-05" → "May 2024"; "2024" stays. @param {string} month */
export function monthName(month) {
  const [year, number] = month.split("-").map(Number);
  return number ? MONTH.format(new Date(year, number - 1, 1)) : String(year);
}

/** 1 → "Jan" @param {number} month */
export const shortMonth = (month) => SHORT_MONTH.format(new Date(2024, month - 1, 1));

/** @param {number} seconds since 1970 */
export const dayOf = (seconds) => DAY.format(new Date(seconds * 1000));

/** @param {number} seconds since 1970 */
export const timeOf = (seconds) => TIME.format(new Date(seconds * 1000));

/**
 * "2024-05", "2024-07" → "May 2024 – July 2024"
 * @param {string | null} since
 * @param {string | null} until
 */
export function spanOf(since, until) {
  if (since && until && since.slice(0, 4) === until.slice(0, 4)) {
    if (since === until) return monthName(since);
    if (since.endsWith("-01") && until.endsWith("-12")) return since.slice(0, 4);
  }
  if (!until) return `Since ${monthName(since ?? "")}`;
  if (!since) return `Until ${monthName(until)}`;
  return `${monthName(since)} – ${monthName(until)}`;
}

/** 75.2 → "1:15" @param {number} seconds */
export function clock(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** "a/b/c.jpg" → "c.jpg" @param {string} path */
export const lastPart = (path) => path.slice(path.lastIndexOf("/") + 1);

/**
 * How far adding is, and about how long it will still take. @param {Adding} adding
 */
export function progressOf({ done, total, failed, started }) {
  if (!total) return "Adding pictures…";
  // What still goes on then is the reading of words; without that, this shows for a moment.
  if (done >= total) return `All ${number(total)} pictures are added. Reading the words in them…`;
  const passed = Date.now() / 1000 - started;
  const left = done >= TOLD_AFTER ? (passed / done) * (total - done) : 0;
  return [
    `Adding pictures: ${number(done)} of ${number(total)}`,
    left >= 90 && `about ${counted(Math.round(left / 60), "minute")} left`,
    failed > 0 && `${number(failed)} could not be read`,
  ]
    .filter(Boolean)
    .join(", ");
}
