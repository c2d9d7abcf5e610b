import { describeOmission } from '../../events/message-part.js';
import { el } from '../dom/el.js';

const IMAGE = /^image\/(png|jpeg|gif|webp|avif)$/;

/** A file of the answer. Images and audio of this server are shown. Other servers get a link, and learn nothing until it is followed. */
export class FilePartView {
  element = el('div', { class: 'file-part', 'data-testid': 'file-part' });
  #actions;

  /** @param actions `fileUrl(fileId)` */
  constructor(actions) {
    this.#actions = actions;
  }

  update(file) {
    this.element.replaceChildren(this.#draw(file));
  }

  remove() {
    this.element.remove();
  }

  #draw({ mediaType, name = mediaType, url, fileId, omitted }) {
    if (fileId === undefined && url === undefined)
      return el('p', { class: 'file-omitted' }, `${name}: ${describeOmission(omitted ?? 'unreachable')}`);
    const href = fileId === undefined ? toWebAddress(url) : this.#actions.fileUrl(fileId);
    if (href === undefined) return el('p', { class: 'file-omitted' }, name);
    if (fileId !== undefined && IMAGE.test(mediaType))
      return link(href, el('img', { src: href, alt: name, loading: 'lazy' }));
    if (fileId !== undefined && mediaType.startsWith('audio/'))
      return el('audio', { src: href, controls: true, preload: 'metadata', 'aria-label': name });
    return link(href, name);
  }
}

/** A source that the text before it cites. */
export class SourcePartView {
  element = el('p', { class: 'source-part', 'data-testid': 'source-part' });

  update({ url, title, quote }) {
    const href = toWebAddress(url);
    const label = title ?? url ?? quote ?? 'Source';
    this.element.replaceChildren('Source: ', href === undefined ? label : link(href, label, quote));
  }

  remove() {
    this.element.remove();
  }
}

function link(href, content, title) {
  return el('a', { href, title, target: '_blank', rel: 'noopener noreferrer' }, content);
}

function toWebAddress(url) {
  return /^https?:\/\//i.test(url ?? '') ? url : undefined;
}
