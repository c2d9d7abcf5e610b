import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { formatRunLogs, parseRunLogs } from './run-log.js';

const FILE = readFileSync(new URL('../events/fixtures/killed-twice.jsonl', import.meta.url), 'utf8');

describe('parseRunLogs', () => {
  it('reads the runs of a file, and writes them as they were', () => {
    const logs = parseRunLogs(FILE);
    expect(logs.map(({ run, events }) => [run.id, events.length])).toEqual([
      ['run-1', 81],
      ['run-2', 25],
    ]);
    expect(logs[1]!.events[0]).toMatchObject({ runId: 'run-2', threadId: 'thread-1', seq: 1 });
    expect(parseRunLogs(formatRunLogs(logs))).toEqual(logs);
  });

  it.each([
    ['', 'There is no run in it.'],
    ['hello', 'Line 1 is not JSON.'],
    ['{"seq":1,"epoch":1,"at":1,"event":{"type":"run-start"}}', 'The first line does not name a run.'],
    ['{"run":{"id":"r"}}\n{"seq":1}', 'Line 2 is neither a run nor an event.'],
    ['null', 'Line 1 is neither a run nor an event.'],
  ])('refuses %j', (text, message) => {
    expect(() => parseRunLogs(text)).toThrow(message);
  });
});
