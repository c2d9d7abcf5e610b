import { existsSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe } from '@jest/globals';
import {
  chromium,
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  type Page,
} from 'playwright-core';

const EXECUTABLE = process.env['CHROMIUM_PATH'] || '/usr/bin/chromium';
// No sandbox, because containers have none to offer; and nothing that the browser does for itself.
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
/** Above what a busy machine needs, and below the limit of a test: a wait that fails can say what it waited for. */
const PATIENCE_MS = 30_000;
/** The browser's own lines about requests that a test wants to fail. */
const FAILED_REQUEST = /^Failed to load resource:/;

export interface VisitOptions extends BrowserContextOptions {
  /** Requests may fail here: the browser's word on them is no fault. Default false. */
  readonly mayFail?: boolean;
  /** Further lines that the page may write: a library's message about a failure that the test intends. Default: nothing. */
  readonly mayComplain?: RegExp;
}

/** A browser with nothing in it yet. Its contexts are closed after each test, which fails when a page complained. */
export interface Chromium {
  /** A person of their own: no cookies, no storage. Waits of its pages fail after half a minute. */
  context(options?: VisitOptions): Promise<BrowserContext>;
  /** A page of a new context. */
  visit(url: string, options?: VisitOptions): Promise<Page>;
}

/**
 * Describes what needs a real Chromium: CHROMIUM_PATH, or /usr/bin/chromium. Where there is none it is skipped, loudly; with
 * REQUIRE_BROWSER=1 it fails.
 */
export function describeInChromium(title: string, body: (chromium: Chromium) => void): void {
  const missing = !existsSync(EXECUTABLE);
  if (missing && process.env['REQUIRE_BROWSER'] !== '1') {
    process.stderr.write(
      `\nSKIPPED, because there is no browser at ${EXECUTABLE}: ${title}. Set CHROMIUM_PATH.\n`,
    );
    // Its tests stay in the report, as skipped.
    describe.skip(title, () => body(new LaunchedChromium()));
    return;
  }
  describe(title, () => {
    const browser = new LaunchedChromium();
    // A missing browser fails here, by Playwright's own words.
    beforeAll(() => browser.launch());
    afterEach(() => browser.leave());
    afterAll(() => browser.close());
    body(browser);
  });
}

class LaunchedChromium implements Chromium {
  private browser: Browser | undefined;
  private complaints: string[] = [];

  async launch(): Promise<void> {
    this.browser = await chromium.launch({ executablePath: EXECUTABLE, args: ARGS });
  }

  async context({ mayFail = false, mayComplain, ...options }: VisitOptions = {}): Promise<BrowserContext> {
    const context = await this.browser!.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    context.setDefaultTimeout(PATIENCE_MS);
    const expected = (text: string) => (mayFail && FAILED_REQUEST.test(text)) || mayComplain?.test(text);
    // Violations of the content security policy are among the console's errors.
    context.on('console', (message) => {
      if (message.type() === 'error' && !expected(message.text())) this.complaints.push(message.text());
    });
    context.on('weberror', (error) => {
      const complaint = String(error.error());
      if (!expected(complaint)) this.complaints.push(complaint);
    });
    return context;
  }

  async visit(url: string, options?: VisitOptions): Promise<Page> {
    const context = await this.context(options);
    const page = await context.newPage();
    await page.goto(url);
    return page;
  }

  async leave(): Promise<void> {
    await Promise.all(this.browser?.contexts().map((context) => context.close()) ?? []);
    const complaints = this.complaints.splice(0);
    if (complaints.length > 0) throw new Error(`The page complained:\n${complaints.join('\n')}`);
  }

  async close(): Promise<void> {
    await this.browser?.close();
  }
}
