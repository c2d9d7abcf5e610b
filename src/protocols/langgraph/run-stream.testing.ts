import type { RecordedEvent } from '../../events/recorded-event.js';
import type { RunEvent } from '../../events/run-event.js';
import { Transcript } from '../transcript/transcript.js';
import type { RunStreamChunk, StreamMode } from './run-stream-chunks.js';
import { RunStreamMapper } from './run-stream.mapper.js';

export const USAGE = { inputTokens: 1, outputTokens: 1, totalTokens: 2 };
export const START: RunEvent = { type: 'run-start', agent: 'scripted', messageId: 'm' };
export const TOOL_START: RunEvent = {
  type: 'tool-start',
  toolCallId: 'call-1',
  toolName: 'search',
  stepId: 's2',
  messageId: 'm',
  label: 'Searching…',
  input: { query: 'x' },
};
export const end = (outcome: 'completed' | 'failed') =>
  ({ type: 'end', outcome, usage: USAGE, durationMs: 1 }) as const;

export const WITH_TOOL: RunEvent[] = [
  START,
  { type: 'step-start', stepId: 's1', name: 'model', attempt: 1 },
  { type: 'text-start', partId: 'p1', messageId: 'm', stepId: 's1' },
  { type: 'text-delta', partId: 'p1', delta: 'Let me ' },
  { type: 'text-delta', partId: 'p1', delta: 'look.' },
  { type: 'text-end', partId: 'p1' },
  { type: 'step-end', stepId: 's1', name: 'model', attempt: 1 },
  { type: 'step-start', stepId: 's2', name: 'tools', attempt: 1 },
  TOOL_START,
  { type: 'tool-end', toolCallId: 'call-1', outcome: 'ok', output: ['one'], durationMs: 1 },
  { type: 'step-end', stepId: 's2', name: 'tools', attempt: 1 },
  end('completed'),
];

export function asked(): Transcript {
  const transcript = new Transcript();
  transcript.ask('q', { message: 'What is it?' });
  return transcript;
}

export function mapped(log: readonly RecordedEvent[], modes: readonly StreamMode[]): RunStreamChunk[] {
  const run = { runId: 'run', threadId: 'thread', transcript: asked(), modes: new Set(modes) };
  return log.flatMap(new RunStreamMapper(run).map);
}
