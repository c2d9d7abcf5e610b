const NEAR_PX = 56;

/**
 * Keeps the end of a growing text in view, until the reader scrolls up; from then on it stays where the reader is,
 * until they come back to the end.
 */
export class ScrollFollow {
  #scroller;
  #following = true;
  #lastTop = 0;
  #onChange;

  /** @param onChange told whether the end is being followed */
  constructor(scroller, content, onChange) {
    this.#scroller = scroller;
    this.#onChange = onChange;
    scroller.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    const resized = new ResizeObserver(() => this.#following && this.#toEnd('instant'));
    resized.observe(content);
    resized.observe(scroller);
  }

  /** Goes to the end and follows it. */
  follow({ smooth = false } = {}) {
    this.#set(true);
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.#toEnd(smooth && !calm ? 'smooth' : 'instant');
  }

  /** Lets `change` add something above what the reader sees, and keeps that where it is. */
  keepingPlace(change) {
    const before = this.#scroller.scrollHeight - this.#scroller.scrollTop;
    this.#set(false);
    change();
    this.#scroller.scrollTop = this.#scroller.scrollHeight - before;
  }

  #toEnd(behavior) {
    this.#scroller.scrollTo({ top: this.#scroller.scrollHeight, behavior });
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    const atEnd = scrollHeight - scrollTop - clientHeight < NEAR_PX;
    // Only a way up is the reader's wish: content that grows leaves the end behind as well.
    if (atEnd) this.#set(true);
    else if (scrollTop < this.#lastTop - 2) this.#set(false);
    this.#lastTop = scrollTop;
  }

  #set(following) {
    if (this.#following === following) return;
    this.#following = following;
    this.#onChange(following);
  }
}
