import type { RecordedEvent } from '../events/recorded-event.js';

/**
 * A protocol's view of a run: called with each recorded event in turn, from seq 1, it says what that event is on this wire.
 *
 * Numbers, ids and indexes depend on the events so far and on nothing else, so a replay says the same as the first pass did:
 * on another connection, in another process, after a restart. Each reader folds with a mapper of its own.
 */
export type ProtocolMapper<Chunk> = (recorded: RecordedEvent) => readonly Chunk[];
