import { el, say } from '../dom/el.js';
import { sentence } from '../chat/sentences.js';
import { duration, fullTime } from '../dom/format.js';
import { SignIn } from '../view/sign-in.js';
import { chat, entitle } from './frame.js';

// The page of all runs: one's own or, with `as=operator`, those of everybody that the caller's role covers.

const DAY_MS = 86_400_000;
const PERIODS = { 1: 'the last day', 7: 'the last 7 days', 30: 'the last 30 days' };
const STATES = ['pending', 'running', 'completed', 'failed', 'cancelled', 'awaiting-input'];
/** The most runs that are read for one list: beyond them it says so. */
const MOST = 1_000;
/** Maximum number of runs read in an order of the storage, if there are more than {@link MOST}. */
const MOST_OF_ORDER = 100;
/** Orders of the storage, by column. */
const ORDERS = {
  cost: { first: 'dearest', words: 'that cost most' },
  tookMs: { first: 'longest', words: 'that took longest' },
};
const count = new Intl.NumberFormat('en');
const money = new Intl.NumberFormat('en', { maximumFractionDigits: 4 });

const COLUMNS = [
  { key: 'createdAt', name: 'Began', read: (run) => run.createdAt, write: (time) => fullTime(time) },
  { key: 'agent', name: 'Agent', read: (run) => run.agent },
  { key: 'status', name: 'State', read: (run) => run.status, write: (status) => status.replace('-', ' ') },
  { key: 'tookMs', name: 'Took', read: tookMs, write: duration, isNumber: true },
  {
    key: 'tokens',
    name: 'Tokens',
    read: (run) => run.usage?.totalTokens,
    write: (tokens) => count.format(tokens),
    isNumber: true,
  },
  {
    key: 'cost',
    name: 'Cost',
    read: (run) => run.usage?.costMicros,
    write: (micros) => money.format(micros / 1e6),
    isNumber: true,
  },
  { key: 'who', name: 'User', read: (run) => run.userId && `${run.tenant} / ${run.userId}` },
  { key: 'title', name: 'Conversation', read: (run) => run.title },
];

const query = new URLSearchParams(location.search);
const isOperator = query.get('as') === 'operator';
const signIn = new SignIn(chat);
let runs = [];
/** True if the list does not have all runs, so that another order may show others. */
let isPart = false;
let sorting = { key: query.get('sort') ?? 'createdAt', isDescending: query.get('order') !== 'asc' };
let reading = new AbortController();

const period = select('days', 'Period', Object.entries(PERIODS), query.get('days') ?? '7');
const state = select(
  'status',
  'State',
  [['', 'any'], ...STATES.map((each) => [each, each.replace('-', ' ')])],
  query.get('status') ?? '',
);
const agent = select(
  'agent',
  'Agent',
  [['', 'any'], ...[query.get('agent')].filter(Boolean).map((each) => [each, each])],
  query.get('agent') ?? '',
);
const note = el('p', { class: 'runs-note', role: 'status' });
const head = el('tr');
const body = el('tbody', { 'data-testid': 'runs' });

document
  .getElementById('main')
  .append(
    el(
      'div',
      { class: 'runs' },
      el('h1', {}, isOperator ? 'Runs of everybody' : 'Your runs'),
      el(
        'form',
        { on: { change: () => void read(), submit: (event) => event.preventDefault() } },
        ...[period, state, agent].map(({ label }) => label),
      ),
      note,
      el('div', { class: 'frame' }, el('table', {}, el('thead', {}, head), body)),
    ),
  );
entitle(isOperator ? 'Runs of everybody' : 'Your runs');
void chat.agents().then(
  ({ items }) => {
    const known = new Set([...agent.control.options].map(({ value }) => value));
    agent.control.append(
      ...items.filter(({ name }) => !known.has(name)).map(({ name }) => el('option', { value: name }, name)),
    );
  },
  () => {},
);
void read();

/**
 * Reads all runs of the period, because a list by cost must miss none. If there are too many, the storage sorts them, if it can.
 */
async function read() {
  reading.abort();
  reading = new AbortController();
  const { signal } = reading;
  const filter = {
    since: Date.now() - Number(period.control.value) * DAY_MS,
    status: state.control.value || undefined,
    agent: agent.control.value || undefined,
  };
  remember();
  say(note, 'Reading…');
  try {
    const newest = await readRuns({ ...filter, first: 'newest' }, MOST, signal);
    const order = newest.hasMore && sorting.isDescending ? ORDERS[sorting.key] : undefined;
    const found = order ? await readRuns({ ...filter, first: order.first }, MOST_OF_ORDER, signal) : newest;
    if (signal.aborted) return;
    runs = found.items;
    isPart = newest.hasMore;
    say(note, describe(found, order));
  } catch (error) {
    if (signal.aborted) return;
    if (error.needsSignIn) {
      const { close } = await signIn.ask();
      close();
      return read();
    }
    say(note, sentence(error));
  }
  draw();
}

async function readRuns(query, most, signal) {
  const items = [];
  let cursor;
  do {
    const page = await chat.runs({ ...query, everybody: isOperator, cursor, limit: 100, signal });
    items.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor && items.length < most);
  return { items, hasMore: cursor !== undefined };
}

function describe({ items, hasMore }, order) {
  const some = `${count.format(items.length)} ${items.length === 1 ? 'run' : 'runs'}`;
  if (order) return `The ${some} ${order.words}.${hasMore ? ' There are more.' : ''}`;
  return hasMore
    ? `The latest ${some}. There are more: choose a shorter period, or sort by duration or cost.`
    : some;
}

function draw() {
  const columns = COLUMNS.filter(
    ({ read, key }) => key === 'createdAt' || runs.some((run) => read(run) !== undefined),
  );
  head.replaceChildren(...columns.map(drawHead));
  const { read } = COLUMNS.find(({ key }) => key === sorting.key) ?? COLUMNS[0];
  const sign = sorting.isDescending ? -1 : 1;
  const sorted = runs.toSorted((one, other) => sign * compare(read(one), read(other)));
  body.replaceChildren(...sorted.map((run) => drawRun(run, columns)));
}

function drawHead({ key, name, isNumber }) {
  const order = key === sorting.key ? (sorting.isDescending ? 'descending' : 'ascending') : 'none';
  const sort = () => {
    sorting = { key, isDescending: key === sorting.key ? !sorting.isDescending : true };
    remember();
    if (isPart) void read();
    else draw();
  };
  const mark = { descending: ' ↓', ascending: ' ↑', none: '' }[order];
  return el(
    'th',
    { scope: 'col', class: isNumber && 'number', 'aria-sort': order },
    el('button', { type: 'button', on: { click: sort } }, name + mark),
  );
}

function drawRun(run, columns) {
  const href = `runs/${encodeURIComponent(run.id)}${isOperator ? '?as=operator' : ''}`;
  const cells = columns.map(({ key, read, write = String, isNumber }, index) => {
    const value = read(run);
    const text = value === undefined ? '' : write(value);
    const kind = isNumber ? 'number' : key === 'status' ? 'state' : key;
    return el('td', { class: kind, 'data-column': key }, index === 0 ? el('a', { href }, text) : text);
  });
  return el('tr', { 'data-status': run.status, 'data-run': run.id }, ...cells);
}

function select(name, label, options, value) {
  const control = el(
    'select',
    { name },
    ...options.map(([each, text]) => el('option', { value: each }, text)),
  );
  control.value = value;
  return { control, label: el('label', {}, `${label} `, control) };
}

/** Keeps the list in the address, so that it can be sent to somebody. */
function remember() {
  const chosen = {
    days: period.control.value,
    status: state.control.value,
    agent: agent.control.value,
    sort: sorting.key,
    order: sorting.isDescending ? 'desc' : 'asc',
  };
  for (const [name, value] of Object.entries(chosen)) {
    if (value) query.set(name, value);
    else query.delete(name);
  }
  history.replaceState(null, '', `?${query}`);
}

function tookMs({ createdAt, endedAt }) {
  return endedAt === undefined ? undefined : endedAt - createdAt;
}

function compare(one, other) {
  if (one === other) return 0;
  if (one === undefined) return -1;
  if (other === undefined) return 1;
  return one < other ? -1 : 1;
}
