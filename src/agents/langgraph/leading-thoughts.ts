const OPEN = '<think>';
const CLOSE = '</think>';

interface Said {
  readonly text: string;
  readonly thoughts: string;
}

/**
 * Tells the thoughts apart with which an answer begins, between `<think>` and `</think>`: local servers hand on the words of a reasoning model as
 * they are. The same tag further on is a word like any other. Text comes in pieces, which may end in the middle of a tag.
 */
export class LeadingThoughts {
  private state: 'before' | 'thinking' | 'after' | 'answering' = 'before';
  private held = '';

  /** @param isLast nothing comes after this piece */
  split(piece: string, isLast: boolean): Said {
    if (this.state === 'answering') return { text: piece, thoughts: '' };
    this.held += piece;
    if (this.state === 'before' && !this.begin(isLast)) return { text: this.release(isLast), thoughts: '' };
    if (this.state === 'thinking') return this.think(isLast);
    return { text: this.answer(), thoughts: '' };
  }

  /** True if thoughts have begun. */
  private begin(isLast: boolean): boolean {
    const start = this.held.trimStart();
    if (start.startsWith(OPEN)) {
      this.held = start.slice(OPEN.length);
      this.state = 'thinking';
      return true;
    }
    if (isLast || !OPEN.startsWith(start)) this.state = 'answering';
    return false;
  }

  private release(isLast: boolean): string {
    return isLast || this.state === 'answering' ? this.take(this.held.length) : '';
  }

  private think(isLast: boolean): Said {
    const end = this.held.indexOf(CLOSE);
    if (end >= 0) {
      const thoughts = this.take(end);
      this.take(CLOSE.length);
      this.state = 'after';
      return { text: this.answer(), thoughts };
    }
    const kept = isLast ? 0 : countBegun(this.held, CLOSE);
    return { text: '', thoughts: this.take(this.held.length - kept) };
  }

  /** The lines between the thoughts and the answer belong to neither. */
  private answer(): string {
    const text = this.held.trimStart();
    this.held = '';
    if (text !== '') this.state = 'answering';
    return text;
  }

  private take(length: number): string {
    const taken = this.held.slice(0, length);
    this.held = this.held.slice(length);
    return taken;
  }
}

/** Returns how many characters at the end of the text may be the beginning of the tag. */
function countBegun(text: string, tag: string): number {
  for (let length = Math.min(tag.length - 1, text.length); length > 0; length -= 1) {
    if (text.endsWith(tag.slice(0, length))) return length;
  }
  return 0;
}
