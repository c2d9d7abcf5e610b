import { sentence } from '../chat/sentences.js';
import { readQuery, setQuery } from '../dom/address.js';
import { el, say, set } from '../dom/el.js';

/** Reasons of the server for a sign-in at a provider that came to nothing. */
const PROBLEMS = {
  denied: 'You were not signed in. The sign-in was cancelled, or your organization refused it.',
  expired: 'The sign-in took too long, or was begun in another tab. Try again.',
  unavailable: "Your organization's sign-in cannot be reached. Try again in a moment.",
  claims: 'Your account has no access here. Ask your administrator for it.',
  failed: 'The sign-in failed. Try again. If it fails again, tell your administrator.',
};

/** Asks for a sign-in until there is one. */
export class SignIn {
  #chat;
  #problem = takeProblem();

  /** @param chat a ChatService */
  constructor(chat) {
    this.#chat = chat;
  }

  /**
   * Resolves once signed in to `{ session, close }`. The dialog covers the page until `close()` is called.
   *
   * @param mayPass true to ask for nothing if there is a session by now
   */
  async ask({ mayPass = false } = {}) {
    // The server may not be reached: then all that can be done is to send a token.
    const known = await this.#chat.session().catch(() => ({ signIn: ['token'] }));
    if (known.principal && mayPass) return { session: known };
    const { signIn: ways } = known;
    const { promise, resolve } = Promise.withResolvers();
    const problem = el('p', { id: 'sign-in-problem', class: 'problem', role: 'alert' });
    const byProvider = ways.includes('oidc') && this.#providerLink();
    const byToken =
      ways.includes('token') && this.#tokenForm(problem, { isFirst: !byProvider, done: resolve });
    const dialog = el(
      'dialog',
      { class: 'dialog sign-in', 'aria-labelledby': 'sign-in-title' },
      el('h2', { id: 'sign-in-title' }, 'Sign in'),
      el('p', {}, byProvider ? 'Sign in to continue. What you have typed is kept.' : 'Sign in to continue.'),
      byProvider,
      byProvider && byToken ? el('details', {}, el('summary', {}, 'Use an access token'), byToken) : byToken,
      problem,
    );
    // There is nothing to see without.
    dialog.addEventListener('cancel', (event) => event.preventDefault());
    const look = () =>
      this.#chat.session().then(
        (session) => session.principal && resolve(session),
        () => undefined,
      );
    addEventListener('focus', look);
    document.body.append(dialog);
    dialog.showModal();
    say(problem, PROBLEMS[this.#problem] ?? '');
    this.#problem = undefined;
    const session = await promise;
    removeEventListener('focus', look);
    const close = () => {
      dialog.close();
      dialog.remove();
    };
    return { session, close };
  }

  #providerLink() {
    const href = this.#chat.signInUrl(location.pathname + location.search);
    return el(
      'a',
      { class: 'primary', href, autofocus: true, 'data-testid': 'sign-in-oidc' },
      'Sign in with your organization',
    );
  }

  #tokenForm(problem, { isFirst, done }) {
    const token = el('input', {
      type: 'password',
      id: 'token',
      required: true,
      autofocus: isFirst,
      autocomplete: 'current-password',
      'aria-describedby': 'sign-in-problem token-hint',
      spellcheck: 'false',
      'data-testid': 'token',
    });
    const submit = el('button', { class: isFirst && 'primary', 'data-testid': 'sign-in' }, 'Sign in');
    const form = el(
      'form',
      {},
      el('p', { id: 'token-hint' }, 'Paste the access token or API key that you were given.'),
      el('label', { for: 'token' }, 'Access token or API key'),
      token,
      el('div', { class: 'dialog-actions' }, submit),
    );
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      submit.disabled = true;
      try {
        done(await this.#chat.signIn(token.value.trim()));
      } catch (error) {
        say(problem, error.status === 401 ? error.message : sentence(error));
        set(token, 'aria-invalid', 'true');
        token.select();
      } finally {
        submit.disabled = false;
      }
    });
    return form;
  }
}

/** Takes the reason of a failed sign-in out of the address, where a reload would show it again. */
function takeProblem() {
  const problem = readQuery('signIn');
  setQuery('signIn', undefined);
  return problem;
}
