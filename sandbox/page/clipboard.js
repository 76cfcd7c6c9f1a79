/** Copy to the clipboard, and say whether it worked. */

import { toast } from "./toast.js";

/**
 * @param {string} text
 * @param {string} done
 */
export async function copy(text, done) {
  try {
    await navigator.clipboard.writeText(text);
    toast(done);
  } catch {
    toast("The browser did not allow copying.", "problem");
  }
}
