/** A message's poll: the question, and answers that are buttons until it ends. */

import { h } from "./dom.js";
import { formatMoment } from "./time.js";

/**
 * @param {Message} message
 * @param {MessageContext} context
 */
export function poll(message, context) {
  const { poll } = message;
  if (!poll) return null;
  const { question, answers, results, expiry, allow_multiselect: several } = poll;
  const all = results.answer_counts.reduce((sum, one) => sum + one.count, 0);
  const mine = results.answer_counts.filter((one) => one.me_voted).map((one) => one.id);
  /** @param {number} id */
  const vote = (id) => {
    const others = several ? mine.filter((one) => one !== id) : [];
    context.vote(message, mine.includes(id) ? others : [...others, id]);
  };
  const over = results.is_finalized || new Date(expiry) <= new Date();
  const foot = `${all} ${all === 1 ? "vote" : "votes"} · ${over ? "ended" : `open until ${formatMoment(new Date(expiry))}`}`;
  return h(
    "div.poll",
    { role: "group", "aria-label": question.text },
    h("b.poll-question", {}, question.text),
    answers.map(({ answer_id: id, poll_media: { text, emoji } }) => {
      const count = results.answer_counts.find((one) => one.id === id)?.count ?? 0;
      return h(
        "button.poll-answer",
        {
          type: "button",
          disabled: over,
          "aria-pressed": String(mine.includes(id)),
          style: { "--part": `${all ? (100 * count) / all : 0}%` },
          onclick: () => vote(id),
        },
        emoji && h("span", { "aria-hidden": "true" }, emoji.id ? `:${emoji.name}:` : emoji.name),
        h("span.poll-text", {}, text),
        h("b", {}, count),
      );
    }),
    h("small", {}, foot),
  );
}
