import { plainJson, withCodes } from '../chat/hidden-characters.js';
import { el, say, set } from '../dom/el.js';
import { words } from '../dom/format.js';

const SIGNS = { completed: '✓', in_progress: '…', pending: '○' };

/** The todos and files of an answer, as deepagents keep them in its state. Hidden for an answer that has neither. */
export class StatePanel {
  #todos = new TodoList();
  #files = new FileList();
  #omitted = el('p', { class: 'state-omitted', hidden: true });
  element = el(
    'section',
    { class: 'state node', 'aria-label': 'Plan and files', 'data-testid': 'state', hidden: true },
    this.#todos.element,
    this.#files.element,
    this.#omitted,
  );
  #shown;

  update({ state, omittedState = [] }) {
    // Unchanged parts of a view are `===`.
    if (this.#shown === state) return;
    this.#shown = state;
    this.#todos.update(readTodos(state?.todos));
    this.#files.update(readFiles(state?.files));
    const omitted = omittedState.filter((key) => key === 'todos' || key === 'files');
    set(this.#omitted, 'hidden', omitted.length === 0);
    say(this.#omitted, omitted.length > 0 ? `Too large to show: ${omitted.join(' and ')}.` : '');
    const isEmpty = this.#todos.element.hidden && this.#files.element.hidden && omitted.length === 0;
    set(this.element, 'hidden', isEmpty);
  }
}

class TodoList {
  #count = el('span', { class: 'state-count' });
  #list = el('ul', { class: 'todos' });
  element = el(
    'details',
    { class: 'todo-list', open: true, hidden: true },
    el('summary', {}, 'Plan ', this.#count),
    this.#list,
  );

  update(todos) {
    set(this.element, 'hidden', todos.length === 0);
    say(
      this.#count,
      `${todos.filter(({ status }) => status === 'completed').length} of ${todos.length} done`,
    );
    this.#list.replaceChildren(
      ...todos.map(({ content, status }) =>
        el(
          'li',
          { class: 'todo', 'data-status': status, 'data-testid': 'todo' },
          el('span', { class: 'todo-sign', 'aria-hidden': 'true' }, SIGNS[status] ?? '○'),
          el('span', { class: 'unseen' }, `${words(status)}: `),
          el('span', {}, withCodes(content)),
        ),
      ),
    );
  }
}

class FileList {
  #files = new Map();
  #list = el('ul', { class: 'files' });
  #count = el('span', { class: 'state-count' });
  element = el(
    'details',
    { class: 'file-list', hidden: true },
    el('summary', {}, 'Files ', this.#count),
    this.#list,
  );

  update(files) {
    set(this.element, 'hidden', files.length === 0);
    say(this.#count, String(files.length));
    const names = new Set(files.map(([name]) => name));
    for (const [name, view] of this.#files) {
      if (names.has(name)) continue;
      view.element.remove();
      this.#files.delete(name);
    }
    for (const [name, file] of files) this.#place(name).update(file);
  }

  #place(name) {
    const known = this.#files.get(name);
    if (known) return known;
    const view = new FileView(name);
    this.#files.set(name, view);
    this.#list.append(view.element);
    return view;
  }
}

/** A file's name; its content is written into the page when somebody opens it. */
class FileView {
  #file;
  #content;
  #details;
  element;

  constructor(name) {
    const shown = withCodes(name);
    this.#content = el('pre', { tabindex: '0', 'aria-label': `Content of ${shown}` });
    this.#details = el(
      'details',
      { on: { toggle: () => this.#fill() } },
      el('summary', {}, shown),
      this.#content,
    );
    this.element = el('li', { class: 'file', 'data-testid': 'file' }, this.#details);
  }

  update(file) {
    this.#file = file;
    this.#fill();
  }

  #fill() {
    if (this.#details.open) say(this.#content, readContent(this.#file));
  }
}

function readTodos(todos) {
  if (!Array.isArray(todos)) return [];
  return todos
    .filter((todo) => typeof todo?.content === 'string')
    .map(({ content, status }) => ({ content, status: typeof status === 'string' ? status : 'pending' }));
}

function readFiles(files) {
  return typeof files === 'object' && files !== null && !Array.isArray(files) ? Object.entries(files) : [];
}

/** A file is its text, or an object with its text or its lines. */
function readContent(file) {
  const content = typeof file === 'object' && file !== null && 'content' in file ? file.content : file;
  if (typeof content === 'string') return withCodes(content);
  const isLines = Array.isArray(content) && content.every((line) => typeof line === 'string');
  return isLines ? withCodes(content.join('\n')) : plainJson(content);
}
