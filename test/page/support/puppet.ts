import type { AgentContext } from '../../../src/agents/agent.js';
import type { PatchOperation } from '../../../src/events/json-patch.js';
import type { RunEvent, ToolEnd } from '../../../src/events/run-event.js';
import type { Subagent } from '../../../src/events/subagent.js';
import type { Play } from '../../support/chat.server.js';
import { until } from '../../support/until.js';

/** Below the limit of a test, so that the failure says what did not come. */
const PATIENCE_MS = 30_000;

/** An agent whose every move is made by the test, so that the test knows what the page should show at each moment. */
export class Puppet {
  private readonly begun: PuppetRun[] = [];
  private readonly awaited: ((run: PuppetRun) => void)[] = [];
  private count = 0;

  /** For a ScriptedAgent. */
  readonly play: Play = (input, context) => {
    const run = new PuppetRun(input.message, context);
    this.count += 1;
    const next = this.awaited.shift();
    if (next) next(run);
    else this.begun.push(run);
    return run.over;
  };

  /** Resolves with the next run that begins, or has begun. Rejects if none does. */
  run(): Promise<PuppetRun> {
    const begun = this.begun.shift();
    if (begun) return Promise.resolve(begun);
    const { promise, resolve, reject } = Promise.withResolvers<PuppetRun>();
    // Made here, where the stack still leads to the test.
    const failure = new Error(
      `No question has come to the agent in ${PATIENCE_MS / 1_000} s, after ${this.count} runs. Was it asked before the page could take it?`,
    );
    const timer = setTimeout(() => {
      this.awaited.splice(this.awaited.indexOf(take), 1);
      reject(failure);
    }, PATIENCE_MS);
    const take = (run: PuppetRun) => {
      clearTimeout(timer);
      resolve(run);
    };
    this.awaited.push(take);
    return promise;
  }
}

/** One run. What is said and done is committed at once. */
export class PuppetRun {
  readonly over: Promise<void>;
  private settle: { resolve(): void; reject(reason: unknown): void };
  private parts = 0;
  private part: string | undefined;

  constructor(
    readonly message: string,
    private readonly context: AgentContext,
  ) {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.over = promise;
    this.settle = { resolve, reject };
    context.signal.addEventListener('abort', () => reject(context.signal.reason));
    this.emit({ type: 'step-start', stepId: 'step', name: 'answer', attempt: context.attempt });
  }

  say(words: string): void {
    if (!this.part) {
      this.part = `part-${++this.parts}`;
      const { messageId } = this.context;
      this.emit({ type: 'text-start', partId: this.part, messageId, stepId: 'step' });
    }
    this.emit({ type: 'text-delta', partId: this.part, delta: words });
  }

  /** What an agent inside the run's own says, in one go. */
  sayAs(subagent: Subagent, words: string): void {
    const partId = `part-${++this.parts}`;
    const { messageId } = this.context;
    this.emit({ type: 'text-start', partId, messageId, stepId: 'step', subagent });
    this.emit({ type: 'text-delta', partId, delta: words });
    this.emit({ type: 'text-end', partId });
  }

  startTool(toolCallId: string, label: string, input?: unknown): void {
    this.closePart();
    const { messageId } = this.context;
    const call = { toolCallId, toolName: 'a_tool', stepId: 'step', messageId, label };
    this.emit({ type: 'tool-start', ...call, ...(input !== undefined && { input }) });
  }

  progress(toolCallId: string, message: string, fraction: number): void {
    this.emit({ type: 'tool-progress', toolCallId, message, fraction });
  }

  endTool(toolCallId: string, end: Pick<ToolEnd, 'outcome' | 'durationMs'> & Partial<ToolEnd>): void {
    this.emit({ ...end, type: 'tool-end', toolCallId });
  }

  /** Takes the messages that people have sent to the run, once there is one. Resolves with their texts. */
  async takeMessages(): Promise<string[]> {
    await until(() => this.context.hasMessages?.() ?? false);
    const messages = (await this.context.takeMessages?.()) ?? [];
    this.closePart();
    for (const message of messages) this.emit(message);
    return messages.map(({ text = '' }) => text);
  }

  changeState(...patch: readonly PatchOperation[]): void {
    this.emit({ type: 'state', patch });
  }

  end(): void {
    this.closePart();
    this.settle.resolve();
  }

  fail(error: Error): void {
    this.settle.reject(error);
  }

  private closePart(): void {
    if (this.part) this.emit({ type: 'text-end', partId: this.part });
    this.part = undefined;
  }

  private emit(event: RunEvent): void {
    void this.context.emit(event);
    this.context.commitNow();
  }
}
