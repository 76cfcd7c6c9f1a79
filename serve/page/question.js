/** What is asked, as plain data, and as the part of the address behind the #. */

/** @returns {Question} */
export function everything() {
  return {
    line: "",
    like: null,
    picture: null,
    more: [],
    less: [],
    sort: "best",
    folder: null,
    since: null,
    until: null,
    guesses: false,
  };
}

/** Whether it has something to rank by: words or pictures. @param {Question} question */
export const ranks = ({ line, like, picture, more, less }) =>
  Boolean(line.trim() || like !== null || picture || more.length || less.length);

/** Whether anything but the order is asked. @param {Question} question */
export const asksSomething = (question) =>
  ranks(question) || Boolean(question.folder || question.since || question.until);

/** "#q=dog&more=1,2" → the place. @param {string} hash @returns {Place} */
export function read(hash) {
  const values = new URLSearchParams(hash.replace(/^#/, ""));
  const sort = values.get("sort");
  return {
    question: {
      line: values.get("q") ?? "",
      like: ids(values.get("like"))[0] ?? null,
      picture: values.get("picture"),
      more: ids(values.get("more")),
      less: ids(values.get("less")),
      sort: sort === "newest" || sort === "oldest" ? sort : "best",
      folder: values.get("folder"),
      since: month(values.get("since")),
      until: month(values.get("until")),
      guesses: values.has("guesses"),
    },
    view: values.get("view") === "atlas" ? "atlas" : "pictures",
    show: ids(values.get("show"))[0] ?? null,
  };
}

/** The place → "#q=dog&more=1,2"; only what differs from the start. @param {Place} place */
export function written({ question, view, show }) {
  const values = new URLSearchParams();
  const { line, like, picture, more, less, sort, folder, since, until, guesses } = question;
  if (line) values.set("q", line);
  if (like !== null) values.set("like", String(like));
  if (picture) values.set("picture", picture);
  if (more.length) values.set("more", more.join(","));
  if (less.length) values.set("less", less.join(","));
  if (sort !== "best") values.set("sort", sort);
  if (folder !== null) values.set("folder", folder);
  if (since) values.set("since", since);
  if (until) values.set("until", until);
  if (guesses) values.set("guesses", "1");
  if (view === "atlas") values.set("view", view);
  if (show !== null) values.set("show", String(show));
  return `#${values}`;
}

/** @param {string | null} text @returns {number[]} */
function ids(text) {
  const numbers = (text ?? "").split(",").filter(Boolean).map(Number);
  return numbers.filter((one) => Number.isSafeInteger(one) && one >= 0);
}

/** @param {string | null} text */
const month = (text) => (/^\d{4}-\d\d$/.test(text ?? "") ? text : null);
