import { sentence } from '../chat/sentences.js';
import { el, say, set } from '../dom/el.js';

/** Asks for credentials until the server takes them. One at a time, however often it is called for. */
export class SignIn {
  #chat;
  #open;

  /** @param chat a ChatService */
  constructor(chat) {
    this.#chat = chat;
  }

  /** Resolves once signed in. */
  ask() {
    this.#open ??= this.#show().finally(() => (this.#open = undefined));
    return this.#open;
  }

  #show() {
    const { promise, resolve } = Promise.withResolvers();
    const token = el('input', {
      type: 'password',
      id: 'token',
      required: true,
      autocomplete: 'current-password',
      'aria-describedby': 'sign-in-problem',
      spellcheck: 'false',
      'data-testid': 'token',
    });
    const problem = el('p', { id: 'sign-in-problem', class: 'problem', role: 'alert' });
    const submit = el('button', { class: 'primary', 'data-testid': 'sign-in' }, 'Sign in');
    const form = el(
      'form',
      {},
      el('h2', { id: 'sign-in-title' }, 'Sign in'),
      el('p', {}, 'Sign in to continue. Paste the access token or API key that you were given.'),
      el('label', { for: 'token' }, 'Access token or API key'),
      token,
      problem,
      el('div', { class: 'dialog-actions' }, submit),
    );
    const dialog = el('dialog', { class: 'dialog', 'aria-labelledby': 'sign-in-title' }, form);
    // There is nothing to see without.
    dialog.addEventListener('cancel', (event) => event.preventDefault());
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      submit.disabled = true;
      try {
        await this.#chat.signIn(token.value.trim());
        dialog.close();
        dialog.remove();
        resolve();
      } catch (error) {
        say(problem, error.status === 401 ? error.message : sentence(error));
        set(token, 'aria-invalid', 'true');
        token.select();
      } finally {
        submit.disabled = false;
      }
    });
    document.body.append(dialog);
    dialog.showModal();
    return promise;
  }
}
