import { join } from 'node:path';

/** Notes of what a page did, one for each thing that a person does with it. */
export class Checks {
  #tab;
  #pictures;
  #results = [];
  #faults = [];
  #expected = [];

  /** @param pictures a folder for a picture after each check. Absent: none are taken */
  constructor(tab, pictures) {
    this.#tab = tab;
    this.#pictures = pictures;
    tab.setDefaultTimeout(15_000);
    tab.on('response', (reply) => {
      if (reply.status() >= 400 && reply.url().includes('/protocols/'))
        void this.#note(reply).catch(() => undefined);
    });
    tab.on('console', (message) => {
      if (message.type() === 'error') this.#faults.push(`console: ${message.text().slice(0, 300)}`);
    });
    tab.on('pageerror', (error) => this.#faults.push(`page: ${error.message.slice(0, 300)}`));
  }

  async #note(reply) {
    const text = await reply.text();
    this.#faults.push(
      `${reply.request().method()} ${new URL(reply.url()).pathname} ${reply.status()}: ${text.slice(0, 300)}`,
    );
  }

  /** Names a complaint that is no failure from now on. */
  expectFault(pattern) {
    this.#expected.push(pattern);
  }

  /** Does something with the page. What it or the server complain of meanwhile is a failure too. */
  async check(title, run) {
    this.#faults.length = 0;
    let reason;
    try {
      await run();
    } catch (error) {
      reason = String(error).split('\n').slice(0, 3).join(' ');
    }
    const faults = [...new Set(this.#faults)].filter(
      (fault) => !this.#expected.some((pattern) => pattern.test(fault)),
    );
    const why = [...(reason === undefined ? [] : [reason]), ...faults].join(' | ');
    this.#results.push({ title, passed: why === '' });
    console.log(`${why === '' ? 'ok    ' : 'FAILED'} ${title}${why && `: ${why}`}`);
    const number = String(this.#results.length).padStart(2, '0');
    if (this.#pictures !== undefined)
      await this.#tab.screenshot({ path: join(this.#pictures, `${number}.png`) });
  }

  /** Prints a summary, and returns the exit code. */
  report() {
    const passed = this.#results.filter((result) => result.passed).length;
    console.log(`\n${passed} of ${this.#results.length} pass.`);
    return passed === this.#results.length ? 0 : 1;
  }
}
