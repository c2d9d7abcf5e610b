import type { Page } from 'playwright-core';

/** Resolves once the conversation has come to rest: neither its place nor its length has changed for a while. */
export async function settled(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const scroller = document.querySelector('.scroller')!;
    const read = () => `${scroller.scrollTop} ${scroller.scrollHeight}`;
    let before = '';
    // A turn of the wheel is drawn over several frames, and begins one or two after it.
    for (let still = 0; still < 10;) {
      await new Promise((resolve) => requestAnimationFrame(resolve));
      still = read() === before ? still + 1 : 0;
      before = read();
    }
  });
}
