/** A dialog with all people, to become another person without leaving the channel. */

import { openDialog } from "./dialog.js";
import { h } from "./dom.js";
import { newTab, rolesLine } from "./login.js";
import { avatar, displayName } from "./people.js";

/**
 * people: as from /sandbox/people; `become(person)` switches this tab; `leave()` goes to the log-in screen.
 * @param {{ people: Person[], me: User, become: (person: Person) => void, leave: () => void }} options
 */
export function openSwitcher({ people, me, become, leave }) {
  const dialog = openDialog({
    title: "Be somebody else",
    wide: true,
    body: h(
      "ul.people.compact",
      {},
      people.map((person) => row(person)),
    ),
    actions: [
      {
        label: "All people",
        run: (close) => {
          close();
          leave();
        },
      },
      { label: "Stay", style: "primary", run: (close) => close() },
    ],
  });

  /** @param {Person} person */
  function row(person) {
    const current = person.user.id === me.id;
    const choose = () => {
      dialog.close();
      if (!current) become(person);
    };
    return h(
      "li.person-choice",
      { class: current ? "current" : "" },
      h(
        "button.person-main",
        {
          type: "button",
          dataset: { person: person.user.username },
          "aria-current": current ? "true" : null,
          onclick: choose,
        },
        avatar(person.user, 36),
        h(
          "span.person-words",
          {},
          h("b", {}, displayName(person.user), current && " (you)"),
          rolesLine(person),
        ),
      ),
      newTab(person),
    );
  }
}
