import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { createChatAgent } from '../../src/agents/langgraph/chat.agent.js';
import { ScriptedModel, type ScriptedAnswer } from '../../src/agents/langgraph/langgraph.testing.js';
import { SqliteStorage } from '../../src/storage/sqlite/sqlite.storage.js';
import { AgentTool } from '../../src/tools/agent-tool.decorator.js';
import type { ToolContext } from '../../src/tools/agent-tool.js';
import { chatServers } from '../support/chat.server.js';

/** `LONG=1` measures, and holds the result against what is promised; the short form sees that the end comes. */
const LONG = Boolean(process.env['LONG']);
const SAMPLES = LONG ? 200 : 3;
const PROMISED_MS = 250;

/** Far longer than anything here may take. */
const HANGS_MS = 60_000;

const NOTHING = z.object({});

@Injectable()
class SlowTools {
  @AgentTool({ name: 'listening', label: 'Listening…', description: 'Hears its signal.', input: NOTHING })
  listening(_: object, { signal }: ToolContext): Promise<void> {
    return sleep(HANGS_MS, undefined, { signal });
  }

  @AgentTool({ name: 'deaf', label: 'Waiting…', description: 'Hears nothing.', input: NOTHING })
  deaf(): Promise<void> {
    return sleep(HANGS_MS, undefined, { ref: false });
  }
}

const calling = (name: string): ScriptedAnswer => ({
  chunks: ['Wait.'],
  calls: [{ id: 'call', name, args: '{}' }],
});

const CASES: readonly { readonly where: string; readonly frame: string; readonly reply: ScriptedAnswer }[] = [
  {
    where: 'a model call',
    frame: 'text-delta',
    reply: { chunks: ['Half'], hold: (signal) => sleep(HANGS_MS, undefined, signal && { signal }) },
  },
  {
    where: 'a model call that ignores its signal',
    frame: 'text-delta',
    reply: { chunks: ['Half'], hold: () => sleep(HANGS_MS, undefined, { ref: false }) },
  },
  { where: 'a tool call', frame: 'tool-start', reply: calling('listening') },
  { where: 'a tool call that ignores its signal', frame: 'tool-start', reply: calling('deaf') },
];

describe('cancelled run', () => {
  const startServer = chatServers();

  it.each(CASES)(
    'ends a cancelled run for its reader in the middle of $where',
    async ({ where, frame, reply }) => {
      const server = await startServer({
        storage: new SqliteStorage({ directory: ':memory:' }),
        tools: [SlowTools],
        agents: (kit) => [
          createChatAgent({
            ...kit,
            name: 'slow',
            description: 'Takes its time.',
            model: new ScriptedModel(() => reply),
          }),
        ],
      });
      const tookMs: number[] = [];
      while (tookMs.length < SAMPLES) {
        const stream = await server.ask();
        await stream.frame(frame);
        const { runId } = (await stream.frame('ready')).data;
        const askedAt = performance.now();
        const [end] = await Promise.all([
          stream.frame('end'),
          server.call('POST', `/runs/${String(runId)}/cancel`),
        ]);
        tookMs.push(performance.now() - askedAt);
        expect(end.data).toMatchObject({ outcome: 'cancelled' });
        await stream.closed();
        expect(stream.events.filter(({ event }) => event === 'end')).toHaveLength(1);
      }

      if (!LONG) return;
      const sorted = tookMs.toSorted((one, other) => one - other);
      const at = (share: number) => Math.round(sorted[Math.ceil(SAMPLES * share) - 1] ?? NaN);
      process.stdout.write(`cancel in ${where}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms\n`);
      expect(at(0.99)).toBeLessThan(PROMISED_MS);
    },
    300_000,
  );
});
