/** REST calls with a person's token: the routes that Discord's own clients use. */

const MAX_TRIES = 4;
const TIMEOUT_MS = 30_000;

/** A request that was refused or not answered; `message` is a sentence for people. */
export class ApiError extends Error {
  /**
   * @param {string} message
   * @param {{ status?: number, code?: number }} [options]
   */
  constructor(message, { status = 0, code = 0 } = {}) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
  }
}

export class Api {
  /** @param {string} token */
  constructor(token) {
    this.token = token;
  }

  /**
   * @param {string} path
   * @param {Record<string, any>} [query]
   */
  get(path, query) {
    return this.#send("GET", path, { query });
  }
  /**
   * @param {string} path
   * @param {unknown} [body]
   */
  post(path, body) {
    return this.#send("POST", path, { body });
  }
  /**
   * @param {string} path
   * @param {unknown} [body]
   */
  put(path, body) {
    return this.#send("PUT", path, { body });
  }
  /**
   * @param {string} path
   * @param {unknown} [body]
   */
  patch(path, body) {
    return this.#send("PATCH", path, { body });
  }
  /** @param {string} path */
  delete(path) {
    return this.#send("DELETE", path);
  }

  /**
   * Post `payload` with `files`, as multipart: payload_json and files[0], files[1], …
   * @param {string} path
   * @param {object} payload
   * @param {File[]} files
   */
  upload(path, payload, files) {
    if (!files.length) return this.post(path, payload);
    const form = new FormData();
    form.append("payload_json", JSON.stringify(payload));
    files.forEach((file, index) => form.append(`files[${index}]`, file, file.name));
    return this.#send("POST", path, { form });
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {{ query?: Record<string, any>, body?: unknown, form?: FormData }} [options]
   */
  async #send(method, path, { query, body, form } = {}) {
    /** @type {Record<string, string>} */
    const headers = { Authorization: this.token };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const url = `/api/v10${path}${query ? `?${new URLSearchParams(query)}` : ""}`;
    /** @type {RequestInit} */
    const request = { method, headers, body: form ?? (body ? JSON.stringify(body) : undefined) };
    for (let tries = 1; ; tries += 1) {
      const response = await reach(url, request);
      const answer = await readJson(response);
      if (response.ok) return answer;
      if (response.status === 429 && tries < MAX_TRIES) {
        await sleep((answer?.retry_after ?? 1) * 1000);
        continue;
      }
      throw refusal(response, answer);
    }
  }
}

/** The people to log in as. The address belongs to the sandbox, not to Discord's API. */
export async function fetchPeople() {
  const response = await reach("/sandbox/people", {});
  if (!response.ok) throw new ApiError("The sandbox did not say who lives here.");
  return response.json();
}

/**
 * @param {string} url
 * @param {RequestInit} request
 */
async function reach(url, request) {
  try {
    return await fetch(url, { ...request, signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (error) {
    const late = error.name === "TimeoutError";
    throw new ApiError(late ? "The sandbox took too long to answer." : "The sandbox cannot be reached.");
  }
}

/** @param {Response} response */
async function readJson(response) {
  const text = await response.text();
  if (!text) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null; // an HTML page of a proxy or a fault: only the status is known
  }
}

/**
 * @param {Response} response
 * @param {any} answer
 */
function refusal(response, answer) {
  const detail = firstFieldError(answer?.errors) ?? answer?.message;
  /** @type {Record<number, string>} */
  const sentences = {
    50001: "You cannot see this channel.",
    50013: "You do not have permission to do that.",
    40005: "That file is too large.",
    10003: "This channel is gone.",
    10008: "This message is gone.",
  };
  const message = sentences[answer?.code] ?? detail ?? `The sandbox answered ${response.status}.`;
  return new ApiError(message, { status: response.status, code: answer?.code ?? 0 });
}

/**
 * Discord nests field errors: {content: {_errors: [{message}]}}. The first one is enough to show.
 * @param {any} errors
 * @returns {string | undefined}
 */
function firstFieldError(errors) {
  if (!errors || typeof errors !== "object") return undefined;
  if (Array.isArray(errors._errors)) return errors._errors[0]?.message;
  for (const value of Object.values(errors)) {
    const found = firstFieldError(value);
    if (found) return found;
  }
  return undefined;
}

/** @param {number} ms */
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
