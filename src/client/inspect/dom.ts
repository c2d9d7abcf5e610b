type Child = Node | string | false | null | undefined;
type Value = string | number | boolean | null | undefined;
interface Properties {
  /** Listeners, by type of event. */
  readonly on?: Readonly<Record<string, (event: never) => void>>;
  readonly [attribute: string]: Value | Properties['on'];
}

/** Creates an element with attributes, listeners and children. An attribute that is false, null or undefined is left out; true sets it empty. */
export function el<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  { on = {}, ...attributes }: Properties = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) setAttribute(element, name, value as Value);
  for (const [type, listener] of Object.entries(on))
    element.addEventListener(type, listener as EventListener);
  element.append(...children.filter((child) => typeof child === 'string' || child instanceof Node));
  return element;
}

/** Sets or removes an attribute, and touches nothing if it is so already. */
export function setAttribute(element: Element, name: string, value: Value): void {
  const text =
    value === true ? '' : value === false || value === null || value === undefined ? null : String(value);
  if (element.getAttribute(name) === text) return;
  if (text === null) element.removeAttribute(name);
  else element.setAttribute(name, text);
}

/** Sets the text, and touches nothing if it is that already. */
export function say(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
