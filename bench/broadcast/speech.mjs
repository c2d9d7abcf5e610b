// What the servers that broadcast have in common: their parent tells them what to say, and they say it to all their readers.
//
//   onSpeech(say)      at each `{ speech: { bursts, size, everyMs } }` from the parent: calls `say(events)` once per burst, with
//                      `size` events [{ id, type, data }] in one turn of the event loop
//   READY              the event that a reader is greeted with: from then on it hears everything
//   MARK               is in every spoken event exactly once, and in nothing else
import { setTimeout as sleep } from 'node:timers/promises';

export const MARK = '^';
export const READY = { id: 'run.1.0', type: 'ready', data: { type: 'ready' } };

/** About what a delta of a few words and its frame's own fields take. */
const TEXT = `${MARK}${'word '.repeat(12)}`;

export function onSpeech(say) {
  let said = 0;
  process.on('message', async ({ speech }) => {
    if (!speech) return;
    const { bursts, size, everyMs } = speech;
    for (let burst = 0; burst < bursts; burst += 1) {
      say(
        Array.from({ length: size }, () => {
          said += 1;
          return { id: `run.1.${said}`, type: 'custom', data: { type: 'custom', name: 'tick', data: TEXT } };
        }),
      );
      await sleep(everyMs);
    }
  });
}
