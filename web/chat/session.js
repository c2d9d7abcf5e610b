import { setQuery } from '../dom/address.js';

/** The person at the page: looks who it is, asks for a sign-in, and leaves nothing of one person to the next. */
export class Session {
  #chat;
  #drafts;
  #loadSignIn;
  #events;
  /** False once something was refused although there is a session. Otherwise the two could go on for ever. */
  #trusts = true;
  /** Pending while a sign-in is asked for. */
  #asking;

  /**
   * @param loadSignIn loads the dialog, a SignIn
   * @param events `brand(brand)`; `stranger()` if it is not known who is there; `person(session)`; `signedIn()` after a sign-in, once it is known who that
   *   is; `agents(agents)`; `failed(error)`
   */
  constructor(chat, drafts, { loadSignIn, ...events }) {
    this.#chat = chat;
    this.#drafts = drafts;
    this.#loadSignIn = loadSignIn;
    this.#events = events;
  }

  /** Looks who is there and who there is to ask. */
  async meet() {
    try {
      const session = await this.#chat.session();
      if (session.kind === 'credentials' && !session.principal) {
        this.#events.brand(session.brand);
        this.#events.stranger();
        return this.askSignIn();
      }
      if (!this.#greet(session)) return;
      this.#events.agents(await this.#chat.agents());
    } catch (error) {
      if (error.needsSignIn) return this.askSignIn();
      this.#events.failed(error);
    }
  }

  /** Asks for a sign-in until there is one. What was refused without it is sent by `signedIn`. One at a time, however often it is called. */
  askSignIn() {
    this.#asking ??= this.#askSignIn().finally(() => (this.#asking = undefined));
    return this.#asking;
  }

  async #askSignIn() {
    const signIn = await this.#loadSignIn();
    // What asks for a sign-in may have been refused before the one that there is.
    const { session, close } = await signIn.ask({ mayPass: this.#trusts });
    this.#trusts = close !== undefined;
    // Until it is known who that is, the page stays covered: nothing can be typed that would have to go again.
    if (!this.#greet(session)) return;
    close?.();
    this.#events.signedIn();
    // Not waited for: what is refused meanwhile asks again.
    void this.#chat.agents().then(this.#events.agents, this.#events.failed);
  }

  /** Shows who is there. Returns false if the page had another person's words, and is loaded again. */
  #greet(session) {
    const { brand, principal } = session;
    if (this.#drafts.claim(toOwner(principal))) {
      location.reload();
      return false;
    }
    this.#events.brand(brand);
    // Of an attempt in this tab, after one in another has succeeded.
    setQuery('signIn', undefined);
    this.#events.person(session);
    return true;
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
