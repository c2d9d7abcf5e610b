import { Agent, type AgentContext, type AgentInput } from '../agents/agent.js';
import type { RunEvent } from '../events/run-event.js';

/** Does what a test says, so that a run can be watched without a model. */
export class ScriptedAgent extends Agent {
  readonly name: string;
  readonly description = 'Does what a test says.';
  override readonly accepts: readonly string[] | undefined;
  override readonly isSteerable: boolean;

  /** @param play emits the run's events through `context.emit`; it should stop when `context.signal` is aborted */
  constructor(
    private readonly play: (input: AgentInput, context: AgentContext) => Promise<void> | void,
    {
      name = 'scripted',
      accepts,
      isSteerable = false,
    }: Partial<Pick<Agent, 'name' | 'accepts' | 'isSteerable'>> = {},
  ) {
    super();
    this.name = name;
    this.accepts = accepts;
    this.isSteerable = isSteerable;
  }

  async run(input: AgentInput, context: AgentContext): Promise<void> {
    await this.play(input, context);
  }
}

/** One step that says these words, a delta each: the smallest answer that has everything an answer has. */
export function createAnswer(
  context: Pick<AgentContext, 'messageId' | 'attempt'>,
  words: readonly string[],
  id = '1',
): RunEvent[] {
  const { messageId, attempt } = context;
  const step = { stepId: `step-${id}`, name: 'answer', attempt } as const;
  const partId = `part-${attempt}-${id}`;
  return [
    { type: 'step-start', ...step },
    { type: 'text-start', partId, messageId, stepId: step.stepId },
    ...words.map((delta): RunEvent => ({ type: 'text-delta', partId, delta })),
    { type: 'text-end', partId },
    { type: 'step-end', ...step },
  ];
}
