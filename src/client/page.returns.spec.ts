import { describe, expect, it } from '@jest/globals';
import { type Return, watchReturns } from './page.returns.js';

class VisiblePage extends EventTarget {
  visibilityState = 'visible';
}

function watched() {
  const page = { window: new EventTarget(), document: new VisiblePage() };
  const seen: Return[] = [];
  const stop = watchReturns((how) => seen.push(how), page);
  return { ...page, seen, stop };
}

describe('watchReturns', () => {
  it('tells of the network, the page cache and the view', () => {
    const { window, document, seen } = watched();
    window.dispatchEvent(new Event('online'));
    window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }));
    document.dispatchEvent(new Event('visibilitychange'));
    expect(seen).toEqual(['online', 'restored', 'visible']);
  });

  it('is silent when the page loads and when it is hidden', () => {
    const { window, document, seen } = watched();
    window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: false }));
    document.visibilityState = 'hidden';
    document.dispatchEvent(new Event('visibilitychange'));
    expect(seen).toEqual([]);
  });

  it('leaves no listener', () => {
    const { window, document, seen, stop } = watched();
    stop();
    window.dispatchEvent(new Event('online'));
    document.dispatchEvent(new Event('visibilitychange'));
    expect(seen).toEqual([]);
  });

  it('does nothing outside a browser', () => {
    expect(() => watchReturns(() => {})()).not.toThrow();
  });
});
