import { el } from '../dom/el.js';

const EXAMPLES = [
  { shows: 'Looks up data', question: 'Which countries border Austria and what are their capitals?' },
  { shows: 'Calculates', question: 'What is 17% of 3,482?' },
  { shows: 'Reads the clock', question: 'What time is it in Tokyo?' },
  { shows: 'Searches the documentation', question: 'How do I resume a stream after a lost connection?' },
];

/** What there is before the first question: something to ask. */
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
