/** What is shown in place of messages: an age gate, a closed voice channel, or that there is no channel. */

import { h } from "./dom.js";
import { icon, magpie } from "./icons.js";
import { isThread } from "./permissions.js";

const ADULT = "magpie.adult."; // in sessionStorage: this person agreed to see the channel

/**
 * Whether the person agreed to see this age-restricted channel. A thread is like its channel.
 * @param {Channel} channel
 */
export function hasAgreed(channel) {
  return sessionStorage.getItem(ADULT + placeOf(channel)) !== null;
}

/**
 * @param {Channel} channel
 * @param {{ agreed: () => void, back: () => void }} options
 */
export function ageGate(channel, { agreed, back }) {
  const agree = () => {
    sessionStorage.setItem(ADULT + placeOf(channel), "yes");
    agreed();
  };
  return [
    h("span.gate-icon", {}, icon("adult")),
    h("h2", {}, "This channel is age-restricted"),
    h(
      "p",
      {},
      `#${channel.name} may hold pictures that are not for everyone. You have to be of age to look.`,
    ),
    h(
      "div.dialog-actions",
      {},
      h("button.action.secondary", { type: "button", onclick: back }, "Take me back"),
      h("button.action.danger", { type: "button", onclick: agree }, "I am of age, open it"),
    ),
  ];
}

/**
 * A voice channel that the person can see but may not join.
 * @param {Channel} channel
 */
export function closedGate(channel) {
  const why =
    "You see this voice channel, but may not connect to it; what is written in it stays with those who may.";
  return [
    h("span.gate-icon", {}, icon("lock")),
    h("h2", {}, `${channel.name} is closed to you`),
    h("p", {}, why),
  ];
}

/**
 * The person can see no channel in `guild`, or is in no guild.
 * @param {Guild | null} guild
 * @param {() => void} switchPerson
 */
export function emptyGate(guild, switchPerson) {
  const why = guild
    ? "There is no channel that you can see in this server."
    : "You are in no server of this world.";
  return [
    magpie(64),
    h("h2", {}, "Nothing to see here"),
    h("p", {}, why),
    h("button.action.primary", { type: "button", onclick: switchPerson }, "Be somebody else"),
  ];
}

/** @param {Channel} channel */
const placeOf = (channel) => (isThread(channel) ? channel.parent_id : channel.id);
