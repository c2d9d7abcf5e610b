import { setQuery } from '../dom/address.js';

/** The person at the page: looks who it is, asks for a sign-in, and leaves nothing of one person to the next. */
export class Session {
  #chat;
  #drafts;
  #loadSignIn;
  #events;

  /**
   * @param loadSignIn loads the dialog; its `ask()` resolves once somebody is signed in
   * @param events `brand(brand)`; `stranger()` if it is not known who is there; `person(session)`, then `agents(agents)`; `signedIn()` after a sign-in, once
   *   it is known who that is; `failed(error)`
   */
  constructor(chat, drafts, { loadSignIn, ...events }) {
    this.#chat = chat;
    this.#drafts = drafts;
    this.#loadSignIn = loadSignIn;
    this.#events = events;
  }

  /** Looks who is there and who there is to ask. Returns true if that is known. */
  async meet() {
    try {
      const session = await this.#chat.session();
      const { brand, kind, principal } = session;
      this.#events.brand(brand);
      if (kind === 'credentials' && !principal) {
        this.#events.stranger();
        return this.askSignIn();
      }
      if (this.#drafts.claim(toOwner(principal))) {
        // The page has what another person has typed and read.
        location.reload();
        return false;
      }
      // Of an attempt in this tab, after one in another has succeeded.
      setQuery('signIn', undefined);
      this.#events.person(session);
      this.#events.agents(await this.#chat.agents());
      return true;
    } catch (error) {
      if (error.needsSignIn) return this.askSignIn();
      this.#events.failed(error);
      return false;
    }
  }

  /** Asks for a sign-in until there is one. Returns false: what was refused without it is sent by `signedIn`. */
  async askSignIn() {
    const signIn = await this.#loadSignIn();
    await signIn.ask();
    if (await this.meet()) this.#events.signedIn();
    return false;
  }

  /** Ends the session, and leaves the page. Rejects with why that did not work. */
  async signOut() {
    const { signOutUrl = location.pathname } = (await this.#chat.signOut()) ?? {};
    this.#drafts.clear();
    location.assign(signOutUrl);
  }
}

function toOwner(principal) {
  const { tenant, userId } = principal ?? {};
  return JSON.stringify([tenant, userId]);
}
