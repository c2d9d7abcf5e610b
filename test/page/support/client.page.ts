import type { Locator, Page } from 'playwright-core';

/** A page of examples/clients as a person meets it. */
export class ClientPage {
  readonly question: Locator;
  readonly stop: Locator;
  readonly alert: Locator;
  readonly tools: Locator;
  readonly approval: Locator;

  constructor(readonly page: Page) {
    this.question = page.getByRole('textbox', { name: 'Your question' });
    this.stop = page.getByRole('button', { name: 'Stop' });
    this.alert = page.getByRole('alert');
    this.tools = page.locator('.tool');
    this.approval = page.locator('.approval');
  }

  async ask(question: string): Promise<void> {
    await this.question.fill(question);
    await this.page.getByRole('button', { name: 'Send' }).click();
  }

  /** Resolves once all that was said is this, person and assistant in turn. */
  async shows(...said: string[]): Promise<void> {
    await this.page.waitForFunction((expected) => {
      const shown = [...document.querySelectorAll('.words')].map(({ textContent }) => textContent.trim());
      return JSON.stringify(shown) === JSON.stringify(expected);
    }, said);
  }

  async isIdle(): Promise<void> {
    await this.page.getByRole('button', { name: 'Send' }).waitFor();
  }
}
