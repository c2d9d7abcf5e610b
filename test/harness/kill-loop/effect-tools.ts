import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { AgentTool } from '../../../src/tools/agent-tool.decorator.js';
import type { ToolContext } from '../../../src/tools/agent-tool.js';
import { between, randomFrom, toSeed } from '../../../src/testing/random.js';
import { SideEffectLedger } from '../side-effect-ledger.js';

const NOTE = z.object({ note: z.string() });

/** The names of the tools, for the model that calls them. */
export const EFFECT_TOOLS = ['look', 'book', 'pay', 'sign'];

/** Of these a second attempt would do harm. */
export const ONCE_TOOLS: ReadonlySet<string> = new Set(['pay', 'sign']);

/** Tools that change the world outside, one of each kind, and take long enough to be killed in the middle. */
@Injectable()
export class EffectTools {
  constructor(private readonly ledger: SideEffectLedger) {}

  @AgentTool({
    name: 'look',
    description: 'Only looks.',
    label: 'Looking…',
    input: NOTE,
    expose: { output: true },
  })
  async *look({ note }: z.output<typeof NOTE>, context: ToolContext) {
    yield { message: 'Half way', fraction: 0.5 };
    await workOn(context);
    return { seen: note };
  }

  @AgentTool({
    name: 'book',
    description: 'Books, and honours its key.',
    label: 'Booking…',
    input: NOTE,
    sideEffect: 'idempotent',
  })
  book(_input: z.output<typeof NOTE>, context: ToolContext): Promise<string> {
    return this.effect('book', context);
  }

  @AgentTool({
    name: 'pay',
    description: 'Pays, which must not happen twice.',
    label: 'Paying…',
    input: NOTE,
    sideEffect: 'once',
  })
  pay(_input: z.output<typeof NOTE>, context: ToolContext): Promise<string> {
    return this.effect('pay', context);
  }

  @AgentTool({
    name: 'sign',
    description: 'Signs, which a person has to allow and which must not happen twice.',
    label: 'Signing…',
    input: NOTE,
    sideEffect: 'once',
    approval: true,
  })
  sign(_input: z.output<typeof NOTE>, context: ToolContext): Promise<string> {
    if (context.approvedBy === undefined) throw new Error('Nobody has allowed this.');
    return this.effect('sign', context);
  }

  private async effect(tool: string, context: ToolContext): Promise<string> {
    const { runId, toolCallId, idempotencyKey } = context;
    this.ledger.write({ tool, runId, toolCallId, idempotencyKey, phase: 'begun' });
    await workOn(context);
    this.ledger.write({ tool, runId, toolCallId, idempotencyKey, phase: 'done' });
    return 'Done.';
  }
}

async function workOn({ idempotencyKey, signal }: ToolContext): Promise<void> {
  await sleep(between(randomFrom(toSeed(idempotencyKey)), 0, 150), undefined, { signal });
}
