import { setTimeout as sleep } from 'node:timers/promises';
import type { Run } from '../../../src/runs/run.js';
import { between, type Random } from '../../../src/testing/random.js';
import { GRAPHS, type GraphName } from './graphs.js';
import { EventSourceReader } from '../readers/event-source.reader.js';
import { FetchReader } from '../readers/fetch.reader.js';
import type { ObservedStream } from '../readers/observed-stream.js';

/** A run that somebody was told has started, and everybody who watched it. */
export interface WatchedRun {
  readonly runId: string;
  readonly threadId: string;
  readonly streams: readonly ObservedStream[];
  /** Its end was asked for. */
  readonly cancelled: boolean;
  /** The agent that was asked, if not the usual one. */
  readonly agent?: GuestAgent | GraphName | undefined;
}

/** An agent that harms its process: it ends it, or blocks it. */
export type GuestAgent = 'poison' | 'block';

/** True for an agent that is expected to do harm. */
export function isGuest(agent: WatchedRun['agent']): agent is GuestAgent {
  return agent === 'poison' || agent === 'block';
}

export interface PersonOptions {
  readonly name: string;
  readonly origin: string;
  readonly random: Random;
  /** Aborted when the whole thing takes too long. */
  readonly signal: AbortSignal;
  /** True if another question is to be asked. */
  readonly goesOn: () => boolean;
  readonly onRun: (run: WatchedRun) => void;
  /** Something that the protocol does not allow. */
  readonly onFailure: (failure: string) => void;
}

interface Started {
  readonly runId: string;
  readonly threadId: string;
}

interface SentDecision {
  readonly continuedBy?: Started;
}

/** Share of threads with a graph in the place of the usual agent. */
const GRAPH_SHARE = 0.5;

/** Milliseconds between two tries of a request. */
const RETRY_MS = 50;

/** Asks one question after the other, a few in each thread, and has each answer watched by readers of four kinds. */
export class Person {
  private questions = 0;
  private answers = 0;

  constructor(private readonly options: PersonOptions) {}

  async live(): Promise<void> {
    const { random, goesOn, signal, onFailure, name } = this.options;
    try {
      while (goesOn() && !signal.aborted) {
        let threadId: string | undefined;
        const agent = random() < GRAPH_SHARE ? GRAPHS[between(random, 0, GRAPHS.length - 1)] : undefined;
        for (let left = between(random, 1, 3); left > 0 && goesOn(); left -= 1) {
          const started = await this.ask(threadId, agent);
          if (!started) return;
          threadId = started.threadId;
          for (let run: Started | undefined = started; run;) {
            await this.watch(run, agent);
            run = await this.decide(run);
          }
        }
      }
    } catch (error) {
      onFailure(`${name}: ${String(error)}`);
    }
  }

  /** Asks one of the agents that harm their process, and the usual one after it in the same thread. */
  async visit(agent: GuestAgent): Promise<void> {
    const { name, onFailure } = this.options;
    try {
      const started = await this.ask(undefined, agent);
      if (started) await this.watch(started, agent);
      const next = started && (await this.ask(started.threadId));
      if (next) await this.watch(next);
    } catch (error) {
      onFailure(`${name}: ${String(error)}`);
    }
  }

  /** Starts a run, with the same key until it works; now and then with two requests at once. */
  private async ask(threadId: string | undefined, agent?: WatchedRun['agent']): Promise<Started | undefined> {
    const { name, random, onFailure } = this.options;
    const key = `${name}-${++this.questions}`;
    const body = { message: `Question ${key}`, ...(threadId && { threadId }), ...(agent && { agent }) };
    const requests = random() < 0.2 ? 2 : 1;
    const answers = await Promise.all(
      Array.from({ length: requests }, () => this.post('/api/chat/runs', body, { 'idempotency-key': key })),
    );
    const [first, second] = answers as (Started | undefined)[];
    if (first && second && first.runId !== second.runId) onFailure(`${key} started two runs`);
    return first;
  }

  /** Answers what the run has stopped for, if it has; now and then twice at once. Gives the run that goes on. */
  private async decide({ runId }: Started): Promise<Started | undefined> {
    const { random, onFailure } = this.options;
    const run = (await this.request('GET', `/api/chat/runs/${runId}`)) as Run | undefined;
    let continuedBy: Started | undefined;
    for (const { inputId, kind } of run?.inputs ?? []) {
      const answer =
        kind === 'interrupt'
          ? { decision: 'answer', value: `${this.options.name}-${++this.answers}` }
          : { decision: random() < 0.7 ? 'approve' : 'deny' };
      const path = `/api/chat/runs/${runId}/inputs/${inputId}`;
      const times = random() < 0.2 ? 2 : 1;
      const answers = await Promise.all(Array.from({ length: times }, () => this.post(path, answer)));
      const made = answers.flatMap((answer) => (answer as SentDecision | undefined)?.continuedBy ?? []);
      if (new Set(made.map((each) => each.runId)).size > 1) onFailure(`${runId} was continued twice`);
      continuedBy = made[0];
    }
    return continuedBy;
  }

  private async watch({ runId, threadId }: Started, agent?: WatchedRun['agent']): Promise<void> {
    const { origin, random, signal, onRun } = this.options;
    const url = `${origin}/api/chat/runs/${runId}/events`;
    const about = { runId, url, pauseMs: () => between(random, 10, 150), silenceMs: 5_000 };
    const steady = new FetchReader({ ...about, name: 'fetch' });
    const browser = new EventSourceReader({ runId, url, name: 'event-source' });
    const restless = new FetchReader({
      ...about,
      name: 'always-reconnecting',
      eventsPerConnection: () => between(random, 1, 12),
    });
    const late = new FetchReader({ ...about, name: 'late-joiner' });
    const cancelled = !isGuest(agent) && random() < 0.05;

    onRun({
      runId,
      threadId,
      cancelled,
      agent,
      streams: [steady, browser, restless, late].map(({ stream }) => stream),
    });
    const following = steady.follow(signal);
    await Promise.all([
      following,
      browser.follow(signal),
      restless.follow(signal),
      // Half of the late ones come in the middle, the others to a run that is over.
      (random() < 0.5 ? sleep(between(random, 0, 2_000)) : following).then(() => late.follow(signal)),
      cancelled &&
        sleep(between(random, 0, 1_500)).then(() => this.post(`/api/chat/runs/${runId}/cancel`, {})),
    ]);
  }

  private post(path: string, body: object, headers: Record<string, string> = {}): Promise<unknown> {
    return this.request(
      'POST',
      path,
      { 'content-type': 'application/json', ...headers },
      JSON.stringify(body),
    );
  }

  /** Tries until it is answered. Undefined when time is up. */
  private async request(
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body: string | null = null,
  ): Promise<unknown> {
    const { origin, signal } = this.options;
    while (!signal.aborted) {
      const response = await fetch(`${origin}${path}`, {
        method,
        headers,
        body,
        signal,
      }).catch(() => undefined);
      const text = await response?.text().catch(() => undefined);
      if (response?.ok && text !== undefined) return JSON.parse(text);
      if (response && response.status >= 400 && response.status < 500) {
        throw new Error(`${path} answered ${response.status}: ${text}`);
      }
      await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
    return undefined;
  }
}
