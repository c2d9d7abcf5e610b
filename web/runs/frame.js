import { ChatService } from '../../client/index.js';
import { el, say } from '../dom/el.js';
import { Brand } from '../view/brand.js';

const [folder, place] = location.pathname.split('/').slice(-2);

/** True on the page of one run. */
export const isOne = folder === 'runs' && place !== '';
/** Path of the chat page. */
const root = isOne ? '../' : './';

export const api = `${root}api/chat`;
export const chat = new ChatService({ baseUrl: api });

const brand = new Brand();
const logo = el('img', { alt: '', width: '24', height: '24' });
const name = el('span');
let title = 'Runs';

/** Names the page. */
export function entitle(words) {
  title = words;
  document.title = `${title} – ${brand.name}`;
}

function showBrand() {
  logo.src = brand.logo;
  say(name, brand.name);
  entitle(title);
}

document
  .getElementById('bar')
  .append(
    el('a', { class: 'brand', href: root }, logo, name),
    ...(isOne ? [el('nav', { 'aria-label': 'Pages' }, el('a', { href: '../runs' }, 'All runs'))] : []),
  );
showBrand();
// Without an answer, the page says so where it shows runs.
chat.session().then(
  (session) => brand.change(session.brand) && showBrand(),
  () => {},
);
