import type { AgentContext } from '../../../src/agents/agent.js';
import type { PatchOperation } from '../../../src/events/json-patch.js';
import type { RunEvent, ToolEnd } from '../../../src/events/run-event.js';
import type { Subagent } from '../../../src/events/subagent.js';
import type { Play } from '../../support/chat.server.js';

/** An agent whose every move is made by the test, so that the test knows what the page should show at each moment. */
export class Puppet {
  private readonly begun: PuppetRun[] = [];
  private readonly awaited: ((run: PuppetRun) => void)[] = [];

  /** For a ScriptedAgent. */
  readonly play: Play = (input, context) => {
    const run = new PuppetRun(input.message, context);
    const next = this.awaited.shift();
    if (next) next(run);
    else this.begun.push(run);
    return run.over;
  };

  /** The next run that begins, or has begun. */
  run(): Promise<PuppetRun> {
    const run = this.begun.shift();
    return run ? Promise.resolve(run) : new Promise((resolve) => this.awaited.push(resolve));
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
