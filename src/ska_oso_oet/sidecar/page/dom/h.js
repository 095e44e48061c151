/**
 * Describes elements, and makes the document match a description.
 *
 * A text never becomes markup: a description holds texts and elements, and there is no way to write HTML. The
 * policy of the page (Trusted Types) refuses the ways around this module.
 *
 * @typedef {string | number | boolean | null | undefined | Element_} Child
 * @typedef {Child | Child[] | Child[][]} Children
 * @typedef {Record<string, any>} Attributes
 *
 * @typedef {object} Element_
 * @property {string} tag
 * @property {Attributes} attributes
 * @property {Element_["tag"] extends string ? (string | Element_)[] : never} children
 * @property {string | number | undefined} key
 *
 * @typedef {{description: string | Element_, node: Node}} Made
 */

const SVG = "http://www.w3.org/2000/svg";
const SVG_TAGS = new Set(["svg", "path", "rect", "line", "circle", "g", "text", "title", "polyline"]);

/** @type {WeakMap<Node, Made[]>} */
const made = new WeakMap();

/**
 * Describe an element.
 *
 * An attribute that is false, null or undefined is left out, one that is true has no value. A name that begins
 * with a dot is a property of the element, one that begins with "on" its listener. `key` identifies elements of a
 * list apart, so that they are moved and not rewritten.
 *
 * @param {string} tag
 * @param {Attributes | null} [attributes]
 * @param {...Children} children
 * @returns {Element_}
 */
export function h(tag, attributes, ...children) {
  const { key, ...rest } = attributes ?? {};
  return { tag, attributes: rest, children: flat(children), key };
}

/**
 * Make the children of a node match a description.
 *
 * @param {Element} parent
 * @param {Children} children
 */
export function render(parent, children) {
  patchChildren(parent, flat([children]), false);
}

/**
 * Return a new element.
 *
 * @param {Element_} description
 * @returns {HTMLElement}
 */
export function create(description) {
  return /** @type {HTMLElement} */ (make(description, false));
}

/**
 * @param {any[]} children
 * @returns {(string | Element_)[]}
 */
function flat(children) {
  /** @type {(string | Element_)[]} */
  const found = [];
  for (const child of children.flat(3)) {
    if (child === null || child === undefined || child === false || child === true) continue;
    found.push(typeof child === "object" ? child : String(child));
  }
  return found;
}

/**
 * @param {Element} parent
 * @param {(string | Element_)[]} children
 * @param {boolean} inSvg
 */
function patchChildren(parent, children, inSvg) {
  const before = made.get(parent) ?? [];
  /** @type {Map<string | number, Made>} */
  const keyed = new Map();
  /** @type {Made[]} */
  const others = [];
  for (const each of before) {
    const key = typeof each.description === "string" ? undefined : each.description.key;
    if (key === undefined) others.push(each);
    else keyed.set(key, each);
  }
  let next = 0;
  const used = new Set();
  const now = children.map((description) => {
    const key = typeof description === "string" ? undefined : description.key;
    const candidate = key === undefined ? others[next++] : keyed.get(key);
    if (candidate && isSame(candidate.description, description) && !used.has(candidate)) {
      used.add(candidate);
      update(candidate, description, inSvg);
      return { description, node: candidate.node };
    }
    return { description, node: make(description, inSvg) };
  });
  for (const each of before) {
    if (!used.has(each)) /** @type {ChildNode} */ (each.node).remove();
  }
  let place = parent.firstChild;
  for (const { node } of now) {
    if (node === place) place = place.nextSibling;
    else parent.insertBefore(node, place);
  }
  made.set(parent, now);
}

/**
 * @param {string | Element_} one
 * @param {string | Element_} other
 */
function isSame(one, other) {
  if (typeof one === "string" || typeof other === "string") return typeof one === typeof other;
  return one.tag === other.tag;
}

/**
 * @param {string | Element_} description
 * @param {boolean} inSvg
 * @returns {Node}
 */
function make(description, inSvg) {
  if (typeof description === "string") return document.createTextNode(description);
  const svg = inSvg || SVG_TAGS.has(description.tag);
  const node = svg ? document.createElementNS(SVG, description.tag) : document.createElement(description.tag);
  for (const [name, value] of Object.entries(description.attributes)) setAttribute(node, name, undefined, value);
  patchChildren(node, description.children, svg);
  return node;
}

/**
 * @param {Made} old
 * @param {string | Element_} description
 * @param {boolean} inSvg
 */
function update(old, description, inSvg) {
  if (typeof description === "string") {
    if (old.description !== description) old.node.nodeValue = description;
    return;
  }
  const node = /** @type {Element} */ (old.node);
  const before = /** @type {Element_} */ (old.description).attributes;
  for (const name in before) {
    if (!(name in description.attributes)) setAttribute(node, name, before[name], undefined);
  }
  for (const [name, value] of Object.entries(description.attributes)) {
    setAttribute(node, name, before[name], value);
  }
  // A custom element manages its content itself.
  if (!description.tag.includes("-")) patchChildren(node, description.children, inSvg || SVG_TAGS.has(description.tag));
}

/**
 * @param {Element} node
 * @param {string} name
 * @param {unknown} before
 * @param {unknown} value
 */
function setAttribute(node, name, before, value) {
  const target = /** @type {any} */ (node);
  if (name.startsWith("on")) {
    if (before !== value) target[name] = value ?? null;
  } else if (name.startsWith(".")) {
    // A field that a person changes is not what it was set to last.
    const property = name.slice(1);
    if (target[property] !== value) target[property] = value;
  } else if (name === "style") {
    if (before !== value) setStyle(/** @type {HTMLElement} */ (node), /** @type {any} */ (before), /** @type {any} */ (value));
  } else if (before !== value) {
    if (value === false || value === null || value === undefined) node.removeAttribute(name);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
}

/**
 * @param {HTMLElement} node
 * @param {Record<string, string> | undefined} before
 * @param {Record<string, string> | undefined} value
 */
function setStyle(node, before, value) {
  for (const name in before) if (!value || !(name in value)) node.style.removeProperty(name);
  for (const name in value) node.style.setProperty(name, /** @type {string} */ (value[name]));
}
