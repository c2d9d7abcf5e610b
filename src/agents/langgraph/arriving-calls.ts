/** A piece of a call, as a delta of Chat Completions has it. */
interface CallPiece {
  index?: number | string | null;
  id?: string | null;
  function?: { name?: string | null; arguments?: unknown } | null;
}

interface ArrivingCall {
  readonly id: string;
  /** The id that the provider gave it. */
  readonly said: string;
  readonly index: number;
  name: string;
}

/**
 * Tells the calls of one answer apart as they arrive in pieces, and puts that in the pieces themselves: each call has an index and an id of its
 * own. Gateways leave the id out, or the index, or give all calls of an answer the same index.
 */
export class ArrivingCalls {
  private readonly calls: ArrivingCall[] = [];
  private readonly byPlace = new Map<unknown, ArrivingCall>();

  hear(delta: Readonly<Record<string, unknown>>): void {
    const { tool_calls: pieces } = delta;
    if (!Array.isArray(pieces)) return;
    for (const [position, piece] of (pieces as (CallPiece | null)[]).entries()) {
      if (piece) this.place(piece, position);
    }
  }

  /** Returns the id of the call that has this index, once it has arrived. */
  idAt(index: unknown): string | undefined {
    return this.calls.find((call) => call.index === index)?.id;
  }

  private place(piece: CallPiece, position: number): void {
    const place = piece.index ?? `at ${position}`;
    const { function: called } = piece;
    // Sent whole, as an object, by some that repeat Ollama.
    if (called && typeof called.arguments === 'object')
      called.arguments = called.arguments ? JSON.stringify(called.arguments) : '';
    const known = this.byPlace.get(place);
    const isAnother = known && piece.id && piece.id !== known.said && piece.function?.name;
    const isNew = !known || Boolean(isAnother);
    const call = isNew ? this.begin(piece.id ?? '') : known;
    this.byPlace.set(place, call);
    piece.index = call.index;
    if (isNew) piece.id = call.id;
    else delete piece.id;
    // Said again in each piece it would become one long name.
    if (!isNew && piece.function?.name === call.name) delete piece.function.name;
    call.name += piece.function?.name ?? '';
  }

  private begin(id: string): ArrivingCall {
    const isTaken = this.calls.some((call) => call.id === id);
    const index = this.calls.length;
    const minted = `call${String(index + 1).padStart(5, '0')}`;
    const call = { id: id === '' || isTaken ? minted : id, said: id, index, name: '' };
    this.calls.push(call);
    return call;
  }
}
