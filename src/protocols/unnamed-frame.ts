import { Frame } from '../http/frame.js';

/** A frame without an `event:` line: clients of these protocols read `data` only, and some refuse a name they do not know. */
export class UnnamedFrame extends Frame {
  /** @param data JSON, or another text of one line */
  constructor(id: string, data: string) {
    super(id, '', data);
  }

  override get text(): string {
    return `id: ${this.id}\ndata: ${this.data}\n\n`;
  }
}
