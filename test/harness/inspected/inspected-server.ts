import { EventSourceParserStream } from 'eventsource-parser/stream';
import { VictimServer } from '../kill-loop/victim.server.js';

const PROGRAM = new URL('inspected.process.ts', import.meta.url);

/** The run that an inspector has everything to show of, and the one that continues it. */
export interface InspectedRuns {
  readonly threadId: string;
  readonly first: string;
  readonly second: string;
}

type SeenEvent = Readonly<Record<string, unknown>> & { readonly type: string };

/** The server of `inspected.process.ts` in its three lives. */
export class InspectedServer {
  private readonly server: VictimServer;

  constructor(directory: string) {
    this.server = new VictimServer(PROGRAM, { directory, seed: 1 });
  }

  get origin(): string {
    return `http://127.0.0.1:${this.server.port}`;
  }

  kill(): Promise<void> {
    return this.server.kill();
  }

  /** Makes the runs: it is killed twice, and a person approves the payment with another amount. */
  async makeRuns(): Promise<InspectedRuns> {
    await this.server.start().listening;
    const started = await this.post('/runs', { message: 'Pay the invoice of Eve.' });
    const { runId: first, threadId } = started as { runId: string; threadId: string };
    await this.reaches(first, (event) => String(event['delta']).includes('due'));
    await this.nextLife();
    await this.reaches(first, ({ toolName }) => toolName === 'rates');
    await this.reaches(first, ({ type, toolCallId }) => type === 'tool-end' && toolCallId === 'call-news');
    await this.nextLife();
    const { inputId } = await this.reaches(first, ({ type }) => type === 'input-request');
    await this.reaches(first, ({ type }) => type === 'end');
    const decision = { decision: 'edit', input: { to: 'Eve', amount: 450 } };
    const { continuedBy } = await this.post(`/runs/${first}/inputs/${String(inputId)}`, decision);
    const { runId: second } = continuedBy as { runId: string };
    await this.reaches(second, ({ type }) => type === 'end');
    return { threadId, first, second };
  }

  private async nextLife(): Promise<void> {
    await this.server.kill();
    await this.server.start().listening;
  }

  /** Resolves with the first such event of a run. */
  private async reaches(runId: string, test: (event: SeenEvent) => boolean): Promise<SeenEvent> {
    const { body } = await fetch(`${this.origin}/api/chat/runs/${runId}/events`);
    const frames = body!.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
    for await (const { data } of frames as unknown as AsyncIterable<{ readonly data: string }>) {
      const event = JSON.parse(data) as SeenEvent;
      if (test(event)) return event;
    }
    throw new Error(`The run ${runId} ended before that.`);
  }

  private async post(path: string, body: unknown): Promise<Record<string, unknown>> {
    const response = await fetch(`${this.origin}/api/chat${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return (await response.json()) as Record<string, unknown>;
  }
}
