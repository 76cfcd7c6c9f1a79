/** The server: what the page asks it. All addresses are relative, so the token in the path stays in them. */

/** The server answered that something can't be done; the message is its sentence. */
export class Refused extends Error {
  /**
   * @param {string} sentence
   * @param {number} status
   */
  constructor(sentence, status) {
    super(sentence);
    this.status = status;
  }
}

/** The server did not answer at all. */
export class Unreachable extends Error {}

/** Set by the page: called when the server does not answer. @type {{ lost: () => void }} */
export const connection = { lost: () => {} };

/**
 * @param {string} path
 * @param {RequestInit} [init]
 */
async function call(path, init) {
  let answer, body;
  try {
    answer = await fetch(path, init);
    body = await answer.json(); // it can be lost on its way, too
  } catch (error) {
    if (init?.signal?.aborted) throw error;
    if (!answer || answer.ok) {
      connection.lost();
      throw new Unreachable("Magpie does not answer.");
    }
    body = {};
  }
  if (!answer.ok)
    throw new Refused(body.sentence ?? `The server answered with the error ${answer.status}.`, answer.status);
  return { status: answer.status, body };
}

/**
 * @param {unknown} body
 * @param {AbortSignal} [signal]
 * @returns {RequestInit}
 */
const post = (body, signal) => ({
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
  signal,
});

/** @returns {Promise<GalleryInfo>} */
export const gallery = async () => (await call("api/gallery")).body;

/**
 * @param {Question} question
 * @param {AbortSignal} signal
 * @returns {Promise<Asked>}
 */
export const ask = async (question, signal) => (await call("api/ask", post(question, signal))).body;

/**
 * @param {string} id of what was asked
 * @param {AbortSignal} signal
 * @returns {Promise<Order>}
 */
export const order = async (id, signal) => (await call(`api/order/${id}`, { signal })).body;

/**
 * @param {string} id of what was asked
 * @param {number} from
 * @param {AbortSignal} signal
 * @returns {Promise<{ hits: Hit[], more: boolean }>}
 */
export const hits = async (id, from, signal) => (await call(`api/hits/${id}?from=${from}`, { signal })).body;

/** @param {number} id @returns {Promise<Hit>} */
export const picture = async (id) => (await call(`api/picture/${id}`)).body;

/** @param {Blob} file @returns {Promise<string>} the name of what was uploaded */
export const upload = async (file) =>
  (await call("api/picture", { method: "POST", body: file })).body.picture;

/**
 * @param {string} line
 * @param {number} at
 * @param {AbortSignal} signal
 * @returns {Promise<SuggestionPart[]>}
 */
export async function suggest(line, at, signal) {
  const query = new URLSearchParams({ line, at: String(at) });
  return (await call(`api/suggest?${query}`, { signal })).body.suggestions;
}

/**
 * The atlas, or the sentence that says that it is still being made.
 * @returns {Promise<AtlasData | string>}
 */
export async function atlas() {
  const { status, body } = await call("api/atlas");
  return status === 202 ? body.sentence : body;
}

/** Begin to add the folder's new pictures. */
export const add = async () => void (await call("api/add", post({})));

/**
 * The address of a small picture.
 * @param {number} id
 * @param {200 | 400} height
 * @param {{ v?: string, frame?: number }} [of] the version of the file, and which frame of a video
 */
export function thumbnail(id, height, { v, frame } = {}) {
  const version = v ? `&v=${v}` : "";
  return `thumb/${id}?h=${height}${version}${frame ? `&frame=${frame}` : ""}`;
}

/** @param {number} id */
export const file = (id) => `file/${id}`;

/** Why a picture can't be shown, as the server says it; null where it doesn't answer. @param {number} id */
export async function whyNot(id) {
  try {
    await call(thumbnail(id, 200));
    return "The browser can’t show it.";
  } catch (error) {
    return error instanceof Refused ? error.message : null;
  }
}

/**
 * Listen to what happens on the server; the browser connects again by itself.
 * @param {{ adding: (state: Adding) => void, added: (end: Added) => void, changed: () => void }} on
 */
export function listen(on) {
  const events = new EventSource("api/events");
  events.addEventListener("adding", (event) => on.adding(JSON.parse(event.data)));
  events.addEventListener("added", (event) => on.added(JSON.parse(event.data)));
  events.addEventListener("changed", () => on.changed());
  return events;
}
