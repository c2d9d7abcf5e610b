/**
 * An element with attributes, listeners (`on: { click }`) and children. Children that are null or false are left out.
 * An attribute that is false, null or undefined is not set; true sets it empty.
 */
export function el(tag, { on, ...attributes } = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) set(element, name, value);
  for (const [type, listener] of Object.entries(on ?? {})) element.addEventListener(type, listener);
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Sets or removes an attribute, and touches nothing when it is so already. */
export function set(element, name, value) {
  const text =
    value === true ? '' : value === false || value === null || value === undefined ? null : String(value);
  if (element.getAttribute(name) === text) return;
  if (text === null) element.removeAttribute(name);
  else element.setAttribute(name, text);
}

/** Sets the text, and touches nothing when it is that already. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
