import '../../client/inspect/index.js';
import { el } from '../dom/el.js';
import { SignIn } from '../view/sign-in.js';
import { api, chat, entitle } from './frame.js';

// The page of one run: /runs/<id>?at=<seq>. With `as=operator` it shows the run of somebody else, to those who may see it.

/** A browser counts how often an address is changed. */
const ADDRESS_MS = 300;

const runId = decodeURIComponent(location.pathname.split('/').at(-1) ?? '');
const query = new URLSearchParams(location.search);
const signIn = new SignIn(chat);
const inspector = el('run-inspector', {
  src: api,
  everybody: query.get('as') === 'operator',
  run: runId,
  at: query.get('at'),
});
let timer;

inspector.addEventListener('positionchange', ({ detail }) => {
  query.set('at', detail.seq);
  clearTimeout(timer);
  timer = setTimeout(() => showAddress(detail.runId), ADDRESS_MS);
});
inspector.addEventListener('problem', ({ detail }) => {
  if (detail.needsSignIn) void signIn.ask().then(() => location.reload());
});

/** Updates the address and the title: the event may belong to another run of the same answer. */
function showAddress(shownId) {
  history.replaceState(null, '', `${encodeURIComponent(shownId)}?${query}`);
  entitle(`Run ${shownId}`);
}

entitle(`Run ${runId}`);
document.getElementById('main').append(el('h1', { class: 'unseen' }, `Run ${runId}`), inspector);
