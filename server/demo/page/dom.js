// Making elements: text goes in as text, never as markup, whatever an event's payload says.

/**
 * @param {string} tag "div", or "div.a.b" with classes
 * @param {object} [props] properties; `on` for listeners, `data` for data-*, `aria` for aria-*
 * @param {...(Node|string|null|undefined|false)} children
 */
export function h(tag, props = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name);
  if (classes.length > 0) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined) continue;
    if (key === "on")
      for (const [type, run] of Object.entries(value)) element.addEventListener(type, run);
    else if (key === "data") Object.assign(element.dataset, value);
    else if (key === "aria")
      for (const [part, text] of Object.entries(value)) element.setAttribute(`aria-${part}`, text);
    else if (key in element) element[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(
    ...children.filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** An icon of the page's sprite; decoration only. */
export const icon = (name) =>
  svg("svg", { class: "icon", "aria-hidden": "true" }, svg("use", { href: `#i-${name}` }));

/** True where the reader asked for less motion. */
export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** An animation that is only decoration: left out where motion isn't wanted. */
export function animate(element, frames, options) {
  return calm() ? null : element.animate(frames, options);
}

/** Keeps the newest `n` children of a list. */
export function prepend(list, child, n) {
  list.prepend(child);
  while (list.childElementCount > n) list.lastElementChild.remove();
}
