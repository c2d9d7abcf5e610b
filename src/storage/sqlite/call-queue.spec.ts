import { describe, expect, it } from '@jest/globals';
import { CallQueue } from './call-queue.js';

const MIB = 1024 * 1024;

describe('CallQueue', () => {
  it('lets a start go while files wait for their turn', () => {
    const queue = new CallQueue();
    const call = (operation: 'putUpload' | 'putBlob' | 'createRun', bytes: number) => {
      const made = queue.add(operation);
      queue.makeReady(made, { data: new Uint8Array(bytes) });
      return made;
    };
    const first = call('putUpload', 10 * MIB);
    expect(queue.take()).toEqual([first]);
    const waiting = [call('putUpload', MIB), call('putBlob', MIB)];
    const start = call('createRun', 1_000);
    expect(queue.take()).toEqual([start]);
    queue.acknowledge(first.id);
    expect(queue.take()).toEqual(waiting);
  });
});
