import type { Locator, Page } from 'playwright-core';

/** Returns the address of a server's page. */
export function toPageUrl({ port }: { readonly port: number }): string {
  return `http://127.0.0.1:${port}/`;
}

/** The chat page as a person meets it. */
export class ChatPage {
  readonly composer: Locator;
  readonly stop: Locator;
  readonly retry: Locator;
  readonly threads: Locator;
  readonly tools: Locator;
  readonly badge: Locator;
  readonly title: Locator;
  readonly token: Locator;

  constructor(readonly page: Page) {
    this.composer = page.getByRole('textbox', { name: 'Your question' });
    this.stop = page.getByRole('button', { name: 'Stop the answer' });
    this.retry = page.getByRole('button', { name: 'Try again' });
    this.threads = page.getByTestId('thread');
    this.tools = page.getByTestId('tool');
    this.badge = page.getByTestId('connection');
    this.title = page.locator('h1.topbar-title');
    this.token = page.getByLabel('Access token or API key');
  }

  /** The last answer. */
  get answer(): Locator {
    return this.page.locator('[data-testid=message][data-role=assistant]').last();
  }

  get threadId(): string {
    return new URL(this.page.url()).searchParams.get('thread') ?? '';
  }

  async ask(question: string): Promise<void> {
    await this.composer.fill(question);
    await this.composer.press('Enter');
  }

  /** Signs in by a key. Resolves once the page knows who is there: until then it hides what is typed. */
  async signIn(key: string): Promise<void> {
    await this.token.fill(key);
    await this.page.getByRole('button', { name: 'Sign in' }).click();
    await this.token.waitFor({ state: 'detached' });
    await this.page.getByRole('button', { name: 'Sign out' }).waitFor();
  }

  /** Resolves once the words of the last answer are exactly these; the space between them does not count. */
  async shows(words: string): Promise<void> {
    await this.page.waitForFunction(hasWords, words);
  }

  /** Resolves once the last answer stands so: `running`, `completed`, `failed`, `cancelled`; ended, with all its words drawn. */
  async stands(status: string): Promise<void> {
    await this.page.waitForFunction(hasStatus, status);
  }

  /** The words of the last answer as they are shown now. */
  async words(): Promise<string> {
    const texts = await this.answer.locator('.text').allTextContents();
    return texts.join(' ').split(/\s+/).filter(Boolean).join(' ');
  }
}

/** Runs in the page. True if the words of the last answer are exactly these. */
export function hasWords(expected: string): boolean {
  const answer = [...document.querySelectorAll('[data-role=assistant]')].at(-1);
  const texts = [...(answer?.querySelectorAll('.text') ?? [])].map(({ textContent }) => textContent);
  return texts.join(' ').split(/\s+/).filter(Boolean).join(' ') === expected;
}

/** Runs in the page. True if the last answer stands so, and has all its words if it has ended. */
export function hasStatus(expected: string): boolean {
  const answer = [...document.querySelectorAll<HTMLElement>('[data-role=assistant]')].at(-1);
  const drawn = expected === 'running' || !answer?.querySelector('[data-writing]');
  return answer?.dataset['status'] === expected && drawn;
}
