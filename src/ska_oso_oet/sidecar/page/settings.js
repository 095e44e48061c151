/** Settings of the user, stored by the browser. */

const NAME = "oet";

/** @type {{user: string, shortcuts: boolean}} */
const kept = { user: "", shortcuts: true, ...read() };

function read() {
  try {
    return JSON.parse(localStorage.getItem(NAME) ?? "{}");
  } catch {
    return {};
  }
}

function write() {
  try {
    localStorage.setItem(NAME, JSON.stringify(kept));
  } catch {
    // A browser that keeps nothing forgets it with the page.
  }
}

export const settings = {
  /** The name that requests are sent in; empty for none. */
  get user() {
    return String(kept.user);
  },
  set user(name) {
    kept.user = name;
    write();
  },
  /** Whether single letters are shortcuts. */
  get shortcuts() {
    return Boolean(kept.shortcuts);
  },
  set shortcuts(on) {
    kept.shortcuts = on;
    write();
  },
};
