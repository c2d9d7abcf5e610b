import { ThreadList } from './thread.list.js';
import { ThreadSearch } from './thread.search.js';

/** The conversations in the side bar: their list, and the search in its place. */
export class ThreadNav {
  #list;
  elements;

  /** @param actions those of the list and of the search */
  constructor(actions) {
    this.#list = new ThreadList(actions);
    const search = new ThreadSearch({ ...actions, instead: this.#list.element });
    this.elements = [search.element, search.found, this.#list.element];
  }

  /** @param threads as Threads has them */
  update(threads, current) {
    this.#list.update(threads, current);
  }

  /** Focuses the conversation at this index, or the last one, after one was removed there. */
  focus(place) {
    this.#list.focus(place);
  }

  /** Returns the index of a conversation in the list. */
  indexOf(threadId) {
    return this.#list.indexOf(threadId);
  }
}
