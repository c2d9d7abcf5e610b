import { expect, it } from '@jest/globals';
import { announce } from './announce.js';
import { loadConfig } from './config.js';
import { createLog } from './log.js';
import { warningsAboutProcess } from './process-warnings.js';

it('warns about a process that runs as root, and about no other user', () => {
  expect(warningsAboutProcess(0)).toEqual([expect.stringContaining('runs as root')]);
  expect(warningsAboutProcess(1000)).toEqual([]);
});

it("warns at the app's start exactly when its process runs as root", () => {
  const lines: string[] = [];
  const log = createLog({ level: 'info' }, { write: (line: string) => void lines.push(line) });
  announce('http://127.0.0.1:1', loadConfig({}), log, { isTTY: false } as NodeJS.WriteStream);
  const warned = lines.some((line) => line.includes('runs as root'));
  expect(warned).toBe(process.geteuid?.() === 0);
});
