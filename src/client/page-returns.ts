/** The page came back: to the network (`online`), from the browser's page cache (`restored`), or into view (`visible`). */
export type Return = 'online' | 'restored' | 'visible';

interface Page {
  readonly window: EventTarget;
  readonly document: EventTarget & { readonly visibilityState: string };
}

/** True in a hidden tab. False outside a browser. */
export function isHidden(page: Page | undefined = browserPage()): boolean {
  return page?.document.visibilityState === 'hidden';
}

/**
 * Calls `hide` whenever the page becomes hidden. Outside a browser it never does.
 *
 * @returns a function that stops this
 */
export function watchHiding(hide: () => void, page: Page | undefined = browserPage()): () => void {
  if (!page) return () => {};
  const stop = new AbortController();
  page.document.addEventListener('visibilitychange', () => isHidden(page) && hide(), { signal: stop.signal });
  return () => stop.abort();
}

/**
 * Calls `back` whenever the page comes back from where a connection may have died without a word. Outside a browser it never does.
 *
 * @returns what stops it
 */
export function watchReturns(
  back: (how: Return) => void,
  page: Page | undefined = browserPage(),
): () => void {
  if (!page) return () => {};
  const stop = new AbortController();
  const { signal } = stop;
  page.window.addEventListener('online', () => back('online'), { signal });
  page.window.addEventListener(
    'pageshow',
    (event) => 'persisted' in event && event.persisted && back('restored'),
    {
      signal,
    },
  );
  page.document.addEventListener(
    'visibilitychange',
    () => page.document.visibilityState === 'visible' && back('visible'),
    { signal },
  );
  return () => stop.abort();
}

function browserPage(): Page | undefined {
  // A worker has no document, Node has neither.
  return typeof window === 'undefined' || typeof document === 'undefined' ? undefined : { window, document };
}
