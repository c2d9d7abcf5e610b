import { el, say, set } from '../dom/el.js';

/** The page before the first question: a greeting, the agent that will answer, and questions to begin with. */
export class EmptyState {
  #ask;
  #greeting = el('h1', {});
  #about = el('p', { hidden: true, 'data-testid': 'agent-description' });
  #examples = el('ul', { class: 'examples', 'aria-label': 'Examples', hidden: true });
  element = el(
    'div',
    { class: 'empty' },
    this.#greeting,
    el(
      'p',
      {},
      'Every step is shown as it happens. Close the page when you like: the answer goes on without you.',
    ),
    this.#about,
    this.#examples,
  );

  constructor(ask) {
    this.#ask = ask;
  }

  greet(greeting) {
    say(this.#greeting, greeting);
  }

  /** @param agent `{ description?, suggestions? }`: without a description, there is no choice of agents */
  showAgent({ description = '', suggestions = [] }) {
    say(this.#about, description);
    set(this.#about, 'hidden', description === '');
    set(this.#examples, 'hidden', suggestions.length === 0);
    this.#examples.replaceChildren(...suggestions.map((question) => this.#toExample(question)));
  }

  #toExample(question) {
    const click = () => this.#ask(question);
    return el(
      'li',
      {},
      el('button', { type: 'button', dir: 'auto', 'data-testid': 'example', on: { click } }, question),
    );
  }
}
