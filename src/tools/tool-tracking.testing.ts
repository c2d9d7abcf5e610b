import { expect } from '@jest/globals';
import { z } from 'zod';
import type { AnsweredInput } from '../events/requested-input.js';
import type { RunEvent, ToolEnd, ToolStart } from '../events/run-event.js';
import type { ConversationSources, Tool, ToolRun } from './agent-tool.js';
import type { ApprovalPolicy } from './approval.policy.js';
import type { ToolCall } from './tool-call.js';
import { ToolRegistry } from './tool.registry.js';
import { SOMEBODY } from './tool.testing.js';
import { ToolTrackingService, type ToolReply } from './tool-tracking.service.js';

export const INPUT = z.object({ city: z.string(), secret: z.string().optional() });

export const CALL: ToolCall = {
  toolCallId: 'c1',
  toolName: 'weather',
  stepId: 's1',
  args: { city: 'Oslo', secret: 'x' },
};

/** Stands for the moment in which a tool waited until what was said is durable. */
export const RECORDED: RunEvent = { type: 'custom', name: 'recorded', data: null };

/** A run that notes what is emitted. */
export class NotedRun implements ToolRun {
  readonly runId = 'run';
  readonly threadId = 'thread';
  readonly messageId = 'message';
  readonly abort = new AbortController();
  readonly signal = this.abort.signal;
  readonly events: RunEvent[] = [];
  readonly begunCalls = new Map<string, string>();
  readonly decisions = new Map<string, AnsweredInput>();
  /** Tools that have brought text of strangers into it. */
  readonly strangers: string[] = [];
  readonly sources: ConversationSources = {
    readStrangers: async () => this.strangers,
    readPersonText: async () => [],
  };
  readonly recorded = async (): Promise<void> => void this.events.push(RECORDED);

  constructor(readonly principal = SOMEBODY) {}

  readonly emit = (event: RunEvent): void => {
    this.events.push(event);
    if (event.type === 'tool-start') this.begunCalls.set(event.toolCallId, event.stepId);
  };
}

export type Declared = Partial<Tool<typeof INPUT>> & Pick<Tool<typeof INPUT>, 'execute'>;

export type ToolReplies = Extract<ToolReply, { content: unknown }>;

export function createTracking(declared: Declared, policy?: ApprovalPolicy): ToolTrackingService {
  const registry = new ToolRegistry();
  const tool = {
    name: 'weather',
    label: 'Looking outside…',
    description: 'Weather.',
    input: INPUT,
    ...declared,
  };
  registry.register(tool, 'Spec');
  return new ToolTrackingService(registry, policy);
}

/** Makes a call and checks what holds for all of them: one start, one end, the end last. */
export async function called(
  declared: Declared,
  { call = {}, run = new NotedRun() }: { call?: Partial<ToolCall>; run?: NotedRun } = {},
): Promise<{ answer: ToolReplies; start: ToolStart; end: ToolEnd; progress: RunEvent[] }> {
  const answer = (await createTracking(declared).call({ ...CALL, ...call }, run)) as ToolReplies;
  const [start, ...rest] = run.events;
  const end = rest.pop();
  expect([start?.type, end?.type]).toEqual(['tool-start', 'tool-end']);
  expect(rest.filter((event) => event.type !== 'tool-progress' && event !== RECORDED)).toEqual([]);
  return { answer, start: start as ToolStart, end: end as ToolEnd, progress: rest };
}
