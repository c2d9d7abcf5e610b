import { LLMock } from '@copilotkit/aimock';
import { afterAll, afterEach, beforeAll } from '@jest/globals';

export interface ToolCallWish {
  readonly name: string;
  readonly arguments: object;
}

/** A provider whose model makes the calls that a test wishes, all in one turn, and then says "Done.": a model that was talked into it. */
export class ObedientModel {
  private readonly mock = new LLMock({ port: 0, logLevel: 'silent' });

  /** Settings of the standalone app. */
  get settings(): Record<string, string> {
    return { MODEL: 'openai:obedient', MODEL_BASE_URL: `${this.mock.url}/v1`, MODEL_API_KEY: 'sk-any' };
  }

  async start(): Promise<void> {
    await this.mock.start();
  }

  async stop(): Promise<void> {
    await this.mock.stop();
  }

  reset(): void {
    this.mock.reset();
  }

  /** In a turn whose message has `word` in it. */
  wish(word: string, calls: readonly ToolCallWish[]): void {
    const toolCalls = calls.map(({ name, arguments: args }, at) => ({
      id: `call_${word}_${at}`,
      name,
      arguments: JSON.stringify(args),
    }));
    const userMessage = new RegExp(word);
    this.mock.on({ userMessage, hasToolResult: false }, { toolCalls });
    this.mock.on({ userMessage, hasToolResult: true }, { content: 'Done.' });
  }

  /** In a turn whose message has `word` in it, its provider refuses. */
  fail(word: string, status: number): void {
    this.mock.on({ userMessage: new RegExp(word) }, { error: { message: 'No.' }, status });
  }

  /** The headers of its requests, in their order. */
  get headers(): Readonly<Record<string, string>>[] {
    return this.mock.getRequests().map(({ headers }) => headers);
  }

  /** The results that the tools gave the model, in the order of the calls, in its last request. */
  get told(): string[] {
    const body = this.mock.getRequests().at(-1)?.body as { messages?: { role: string; content: unknown }[] };
    return (body.messages ?? []).flatMap(({ role, content }) => (role === 'tool' ? [String(content)] : []));
  }
}

/** Starts one for all tests of a file. */
export function obedientModel(): ObedientModel {
  const model = new ObedientModel();
  beforeAll(() => model.start());
  afterEach(() => model.reset());
  afterAll(() => model.stop());
  return model;
}
