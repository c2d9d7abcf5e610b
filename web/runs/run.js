import '../../client/inspect/index.js';
import { ChatService } from '../../client/index.js';
import { el } from '../dom/el.js';
import { SignIn } from '../view/sign-in.js';

// The page of one run: /runs/<id>?at=<seq>. With `as=operator` it shows the run of somebody else, to those who may see it.

/** A browser counts how often an address is changed. */
const ADDRESS_MS = 300;

const runId = decodeURIComponent(location.pathname.split('/').at(-1) ?? '');
const query = new URLSearchParams(location.search);
const signIn = new SignIn(new ChatService({ baseUrl: '../api/chat' }));
const inspector = el('run-inspector', {
  src: '../api/chat',
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
  document.title = `Run ${shownId} – Agent Stream`;
}

document.title = `Run ${runId} – Agent Stream`;
document.getElementById('main').append(el('h1', { class: 'unseen' }, `Run ${runId}`), inspector);
