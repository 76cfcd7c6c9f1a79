/**
 * The start: find the person of this tab. "?as=ada" in the address names them; else sessionStorage, which each
 * tab has for itself; else the log-in screen asks. A path as in Discord's own links
 * (/channels/server/channel/message) works too.
 */

import { App } from "./app.js";
import { loadPeople, loginScreen } from "./login.js";
import { applyTheme } from "./theme.js";
import { toast } from "./toast.js";

const PERSON = "magpie.person"; // in sessionStorage: the user's id
const root = /** @type {HTMLElement} */ (document.getElementById("root"));
/** @type {App | null} */
let app = null;
let leaving = new AbortController();

async function start() {
  applyTheme();
  const wanted = new URLSearchParams(location.search).get("as");
  const place = /^\/channels(\/(?:\d+|@me)\/\d+(?:\/\d+)?)\/?$/.exec(location.pathname)?.[1];
  history.replaceState(null, "", place ? `/#${place}` : `/${location.hash}`);
  const remembered = sessionStorage.getItem(PERSON);
  if (!wanted && !remembered) return showLogin();
  try {
    const people = await loadPeople();
    const person = people.find(({ user }) =>
      wanted ? [user.username, user.id].includes(wanted) : user.id === remembered,
    );
    if (person) return enter(person, people);
    if (wanted) toast(`Nobody here is called ${wanted}.`, "problem");
  } catch (error) {
    toast(error.message, "problem"); // the log-in screen keeps trying
  }
  showLogin();
}

function showLogin() {
  close();
  sessionStorage.removeItem(PERSON);
  document.title = "Magpie’s sandbox";
  leaving = new AbortController();
  root.replaceChildren(loginScreen(async (person) => enter(person, await loadPeople()), leaving.signal));
}

/**
 * @param {Person} person
 * @param {Person[]} people
 */
function enter(person, people) {
  close();
  sessionStorage.setItem(PERSON, person.user.id);
  app = new App({
    person,
    people,
    become: (other) => enter(other, people),
    leave: showLogin,
  });
  root.replaceChildren(app.element);
}

function close() {
  leaving.abort();
  app?.close();
  app = null;
}

start();
