import { el } from '../dom/el.js';

const EXAMPLES = [
  {
    shows: 'Three tools side by side',
    question: 'Which countries border Austria? What time is it in Vienna? And what is 17% of 3,482?',
  },
  { shows: 'Looks up data', question: 'What are the five largest countries in Africa?' },
  { shows: 'Reads clocks', question: 'What time is it in Tokyo, New York and Nairobi?' },
  { shows: 'Searches the documentation', question: 'How do I resume a stream after a lost connection?' },
];

/** Returns the page before the first question, with examples to ask. */
export function emptyState(ask) {
  return el(
    'div',
    { class: 'empty' },
    el('h1', {}, 'Ask, and watch it work.'),
    el(
      'p',
      {},
      'Every step is shown as it happens. Close the page when you like: the answer goes on without you.',
    ),
    el(
      'ul',
      { class: 'examples', 'aria-label': 'Examples' },
      ...EXAMPLES.map(({ shows, question }) =>
        el(
          'li',
          {},
          el(
            'button',
            { type: 'button', 'data-testid': 'example', on: { click: () => ask(question) } },
            el('span', { class: 'example-shows' }, shows),
            el('span', {}, question),
          ),
        ),
      ),
    ),
  );
}
