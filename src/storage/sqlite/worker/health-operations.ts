import type { DatabaseSync } from 'node:sqlite';

/** Free bytes that a disk which was full needs before the storage is called healthy again. */
const ROOM_BYTES = 1024 * 1024;

/** Tells if the database can be written. Writes, because a disk that is full can still be read. */
export function healthOperations(db: DatabaseSync) {
  const note = db.prepare(
    'INSERT OR REPLACE INTO health (id, checked_at, probe) VALUES (1, :now, zeroblob(:bytes))',
  );
  let wasFull = false;

  return {
    /**
     * After a write found the disk full, this one is as large as any: a few bytes may still find their place in pages that are
     * there, and a server that calls itself ready would be sent runs that it cannot record.
     */
    check(now: number): void {
      note.run({ now, bytes: wasFull ? ROOM_BYTES : 0 });
      wasFull = false;
    },

    /** Called when a write has found no room. */
    noteFull(): void {
      wasFull = true;
    },
  };
}
