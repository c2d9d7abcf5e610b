import { describe, expect, it } from '@jest/globals';
import { isHidden, type Return, watchHiding, watchReturns } from './page-returns.js';

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
  it('reports a page that is online, restored or visible again', () => {
    const { window, document, seen } = watched();
    window.dispatchEvent(new Event('online'));
    window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }));
    document.dispatchEvent(new Event('visibilitychange'));
    expect(seen).toEqual(['online', 'restored', 'visible']);
  });

  it('does not report the first load of a page, or a hidden page', () => {
    const { window, document, seen } = watched();
    window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: false }));
    document.visibilityState = 'hidden';
    document.dispatchEvent(new Event('visibilitychange'));
    expect(seen).toEqual([]);
  });

  it('reports nothing of a page after it is stopped', () => {
    const { window, document, seen, stop } = watched();
    stop();
    window.dispatchEvent(new Event('online'));
    document.dispatchEvent(new Event('visibilitychange'));
    expect(seen).toEqual([]);
  });

  it('watches nothing outside a browser', () => {
    expect(() => watchReturns(() => {})()).not.toThrow();
    expect(() => watchHiding(() => {})()).not.toThrow();
    expect(isHidden()).toBe(false);
  });
});

describe('watchHiding', () => {
  it('reports a page that goes out of view, until it is stopped', () => {
    const page = { window: new EventTarget(), document: new VisiblePage() };
    let count = 0;
    const stop = watchHiding(() => (count += 1), page);
    const change = (state: string) => {
      page.document.visibilityState = state;
      page.document.dispatchEvent(new Event('visibilitychange'));
    };
    for (const state of ['hidden', 'visible', 'hidden']) change(state);
    expect(count).toBe(2);
    expect(isHidden(page)).toBe(true);
    stop();
    change('hidden');
    expect(count).toBe(2);
  });
});
