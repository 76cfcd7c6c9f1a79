/** "Who do you want to be?": the people of this sandbox, to log in as one of them. */

import { fetchPeople } from "./api.js";
import { h, replace } from "./dom.js";
import { icon, magpie } from "./icons.js";
import { avatar, displayName } from "./people.js";

const RETRY_MS = 2_000;

/** The people to log in as, in the sandbox's order; applications are left out. */
export async function loadPeople() {
  /** @type {Person[]} */
  const people = await fetchPeople();
  return people.filter((person) => !person.user.bot);
}

/**
 * The log-in screen. `choose(person)` logs in; `signal` stops its waiting for the sandbox.
 * @param {(person: Person) => void} choose
 * @param {AbortSignal} signal
 */
export function loginScreen(choose, signal) {
  const list = h("ul.people", { "aria-label": "People" });
  const note = h("p.login-note", { role: "status" });
  const screen = h(
    "main.login",
    {},
    h(
      "div.login-inner",
      {},
      h(
        "header",
        {},
        magpie(84),
        h("h1", {}, "Who do you want to be?"),
        h(
          "p",
          {},
          "A small chat that lives on this machine. Post pictures, then ask Magpie to find them again by what is in them.",
        ),
      ),
      list,
      note,
      h(
        "p.login-tip",
        {},
        icon("bulb"),
        "Everybody sees other channels. Open a second person in another tab to watch both sides.",
      ),
    ),
  );

  async function fill() {
    try {
      const people = await loadPeople();
      note.textContent = people.length ? "" : "Nobody lives in this world: its file declares no people.";
      replace(list, ...people.map((person) => card(person, choose)));
    } catch (error) {
      if (signal.aborted) return;
      note.textContent = `${error.message} Trying again…`;
      setTimeout(fill, RETRY_MS);
    }
  }

  fill();
  return screen;
}

/**
 * @param {Person} person
 * @param {(person: Person) => void} choose
 */
function card(person, choose) {
  const name = displayName(person.user);
  return h(
    "li.person-choice",
    {},
    h(
      "button.person-main",
      { type: "button", dataset: { person: person.user.username }, onclick: () => choose(person) },
      avatar(person.user, 52),
      h(
        "span.person-words",
        {},
        h("b", {}, name),
        rolesLine(person),
        person.about && h("small", {}, person.about),
      ),
    ),
    newTab(person),
  );
}

/**
 * The person's roles in all servers, each once; "Member" when there are none.
 * @param {Person} person
 */
export function rolesLine({ guilds = [] }) {
  const roles = [...new Set(guilds.flatMap((guild) => guild.roles ?? []))].filter(
    (role) => role !== "@everyone",
  );
  if (!guilds.length) return h("span.chips", {}, h("i", {}, "in no server"));
  return h(
    "span.chips",
    {},
    roles.length ? roles.map((role) => h("i", {}, role)) : h("i.faint", {}, "no role"),
  );
}

/**
 * A link that opens the page as this person in a new tab.
 * @param {Person} person
 */
export function newTab(person) {
  const name = displayName(person.user);
  return h(
    "a.round.new-tab",
    {
      href: `?as=${encodeURIComponent(person.user.username)}`,
      target: "_blank",
      "aria-label": `Open ${name} in a new tab`,
      title: "Open in a new tab",
    },
    icon("open"),
  );
}
