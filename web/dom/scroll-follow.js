const NEAR_PX = 56;

/**
 * Keeps the end of a growing text in view, until the reader scrolls up, by however little; from then on it stays where the reader is,
 * until they come back to the end.
 */
export class ScrollFollow {
  #scroller;
  #following = true;
  /** The scroll position from which a move up is measured. */
  #top = 0;
  #onChange;
  #hasEnd;

  /** @param on `change(following)` when following starts or stops; `hasEnd()`: false while the content is read from its top */
  constructor(scroller, content, { change, hasEnd }) {
    this.#scroller = scroller;
    this.#onChange = change;
    this.#hasEnd = hasEnd;
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

  /** Shows the start of an element, and follows the end no more, unless that is in view. */
  goTo(element) {
    this.#set(false);
    element.scrollIntoView({ block: 'start', behavior: 'instant' });
    this.#stay();
  }

  /** Lets `change` add something above what the reader sees, and keeps that where it is. */
  keepingPlace(change) {
    const before = this.#scroller.scrollHeight - this.#scroller.scrollTop;
    this.#set(false);
    change();
    this.#scroller.scrollTop = this.#scroller.scrollHeight - before;
  }

  /** Lets `change` put something else below what the reader sees, and stays there. */
  keepingTop(change) {
    const { scrollTop } = this.#scroller;
    this.#set(false);
    change();
    this.#scroller.scrollTop = scrollTop;
    this.#stay();
  }

  #stay() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    this.#top = scrollTop;
    if (scrollHeight - scrollTop - clientHeight < 1) this.#set(true);
  }

  #toEnd(behavior) {
    if (!this.#hasEnd()) return;
    this.#scroller.scrollTo({ top: this.#scroller.scrollHeight, behavior });
    if (behavior === 'instant') this.#top = this.#scroller.scrollTop;
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    const left = scrollHeight - scrollTop - clientHeight;
    // Content that shrinks also moves up, but leaves nothing below.
    if (scrollTop < this.#top && left >= 1) {
      // Moves of less than a pixel add up.
      if (scrollTop > this.#top - 1) return;
      this.#set(false);
    } else if (left < NEAR_PX && scrollTop > this.#top) this.#set(true);
    this.#top = scrollTop;
  }

  #set(following) {
    if (this.#following === following) return;
    this.#following = following;
    this.#onChange(following);
  }
}
