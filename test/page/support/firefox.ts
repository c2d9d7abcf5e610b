import { existsSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe } from '@jest/globals';
import { launch, type Browser, type BrowserContext, type Page } from 'puppeteer-core';
import { hasStatus, hasWords } from './chat.page.js';

const EXECUTABLE = process.env['FIREFOX_PATH'] || '/usr/bin/firefox-esr';
/** Above what a busy machine needs, and below the limit of a test. */
const PATIENCE_MS = 30_000;

/** A Firefox with nothing in it yet. Its pages are closed after each test, which fails when one of them threw. */
export interface Firefox {
  /** The chat page at an address, for a person of their own. */
  visit(url: string): Promise<FirefoxPage>;
}

/**
 * Describes what needs a real Firefox: FIREFOX_PATH, or /usr/bin/firefox-esr. Where there is none it is skipped, loudly; with
 * REQUIRE_FIREFOX=1 it fails. Puppeteer drives it by WebDriver BiDi: Playwright has a Firefox of its own only.
 */
export function describeInFirefox(title: string, body: (firefox: Firefox) => void): void {
  if (!existsSync(EXECUTABLE) && process.env['REQUIRE_FIREFOX'] !== '1') {
    process.stderr.write(
      `\nSKIPPED, because there is no Firefox at ${EXECUTABLE}: ${title}. Install firefox-esr, or set FIREFOX_PATH.\n`,
    );
    describe.skip(title, () => body(new LaunchedFirefox()));
    return;
  }
  describe(title, () => {
    const firefox = new LaunchedFirefox();
    beforeAll(() => firefox.launch());
    afterEach(() => firefox.leave());
    afterAll(() => firefox.close());
    body(firefox);
  });
}

/** The chat page as a person in Firefox meets it. */
export class FirefoxPage {
  constructor(readonly page: Page) {}

  async ask(question: string): Promise<void> {
    await this.type('[data-testid=composer]', question);
    await this.page.keyboard.press('Enter');
  }

  /** Writes into a field, in the place of what is there. */
  async type(selector: string, text: string): Promise<void> {
    await this.page.locator(selector).click();
    await this.page.keyboard.down('Control');
    await this.page.keyboard.press('a');
    await this.page.keyboard.up('Control');
    await this.page.keyboard.type(text);
  }

  /** Puts a text into an empty field at once: between two keys, a busy machine may take longer than a search waits for the next. */
  async paste(selector: string, text: string): Promise<void> {
    await this.page.locator(selector).click();
    await this.page.evaluate((words) => document.execCommand('insertText', false, words), text);
  }

  async click(selector: string): Promise<void> {
    await this.page.locator(selector).click();
  }

  async clickButton(name: string): Promise<void> {
    await this.click(`::-p-xpath(//button[normalize-space()="${name}" or @aria-label="${name}"])`);
  }

  async sees(text: string): Promise<void> {
    await this.page.waitForFunction((wanted) => document.body.innerText.includes(wanted), {}, text);
  }

  /** Resolves once the words of the last answer are exactly these. */
  async shows(words: string): Promise<void> {
    await this.page.waitForFunction(hasWords, {}, words);
  }

  /** Resolves once the last answer stands so. */
  async stands(status: string): Promise<void> {
    await this.page.waitForFunction(hasStatus, {}, status);
  }

  /** Returns how the element that has the focus is called: its label, or its text. */
  focused(): Promise<string> {
    return this.page.evaluate(() => {
      const element = document.activeElement as HTMLElement | null;
      return element?.getAttribute('aria-label') ?? element?.innerText ?? '';
    });
  }
}

class LaunchedFirefox implements Firefox {
  private browser: Browser | undefined;
  private contexts: BrowserContext[] = [];
  private complaints: string[] = [];

  async launch(): Promise<void> {
    this.browser = await launch({ browser: 'firefox', executablePath: EXECUTABLE, headless: true });
  }

  async visit(url: string): Promise<FirefoxPage> {
    const context = await this.browser!.createBrowserContext();
    this.contexts.push(context);
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    await page.setViewport({ width: 1280, height: 800 });
    await page.goto(url);
    return new FirefoxPage(page);
  }

  async leave(): Promise<void> {
    await Promise.all(this.contexts.splice(0).map((context) => context.close()));
    const complaints = this.complaints.splice(0);
    if (complaints.length > 0) throw new Error(`The page complained:\n${complaints.join('\n')}`);
  }

  async close(): Promise<void> {
    await this.browser?.close();
  }
}
