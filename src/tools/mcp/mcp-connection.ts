import { z } from 'zod';
import type { ToolContext } from '../agent-tool.js';
import { connectMcp, type McpClient } from './mcp-client.js';
import type { McpServerOptions } from './mcp.options.js';
import type { McpQuestions } from './mcp-questions.js';

/** A tool as its server describes it. */
export interface McpToolDescription {
  readonly name: string;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly inputSchema: Record<string, unknown>;
  readonly annotations?:
    | {
        readonly title?: string | undefined;
        readonly readOnlyHint?: boolean | undefined;
        readonly idempotentHint?: boolean | undefined;
      }
    | undefined;
}
export type McpResult = z.output<typeof RESULT>;
export type McpCallOptions = Omit<NonNullable<Parameters<McpClient['callTool']>[2]>, 'signal'> & {
  /** The call that the server's questions are about. Its signal ends the call. */
  readonly asker: Pick<ToolContext, 'signal' | 'ask'>;
};

/** A field that counts as absent where it is not what it should be: one odd field must not cost the rest. */
const lenient = <Schema extends z.ZodType>(schema: Schema) => schema.optional().catch(undefined);
const words = lenient(z.string());
const flag = lenient(z.boolean());

/** A server's result of a call. Its content for the model is validated where it is read. */
const RESULT = z.looseObject({
  content: z
    .array(
      z.looseObject({
        type: z.string().catch('unknown'),
        text: words,
        mimeType: words,
        data: words,
        uri: words,
        resource: lenient(z.looseObject({ text: words, uri: words, blob: words, mimeType: words })),
      }),
    )
    .catch([]),
  structuredContent: lenient(z.record(z.string(), z.unknown())),
  isError: flag,
});

const TOOL = z.looseObject({
  name: z.string().min(1),
  title: words,
  description: words,
  inputSchema: z.record(z.string(), z.unknown()),
  annotations: lenient(
    z.looseObject({
      title: words,
      readOnlyHint: flag,
      idempotentHint: flag,
      destructiveHint: flag,
      openWorldHint: flag,
    }),
  ),
});

/** A page of a server's list of tools, each of which may be something else than a tool. */
const PAGE = z.looseObject({ tools: z.array(z.unknown()), nextCursor: words });

/** Pages of a list of tools, and tools in it, that are looked at. */
const MOST_PAGES = 100;
const MOST_LISTED = 2_000;
/** Maximum wait for a server's sign of life, in milliseconds. */
const ANSWER_MS = 5_000;

/** One connection to one server, from when it stands until it is closed by either side. */
export class McpConnection {
  private readonly calls = new Set<Promise<McpResult>>();

  private constructor(
    private readonly client: McpClient,
    private readonly questions: McpQuestions,
  ) {}

  /** @throws as {@link connectMcp} */
  static async open(
    options: Pick<McpServerOptions, 'transport'>,
    { changed, questions }: { readonly changed: () => void; readonly questions: McpQuestions },
  ): Promise<McpConnection> {
    const client = await connectMcp(options, { changed, questions });
    try {
      // One look: some servers have all of their tools only a moment after the connection stands.
      await readPage(client);
      return new McpConnection(client, questions);
    } catch (error) {
      await client.close();
      throw error;
    }
  }

  /** The tools of the first pages, as the server describes them; `isCut` when the list has no end, or a longer one than anybody could use. */
  async tools(): Promise<{ readonly tools: unknown[]; readonly isCut: boolean }> {
    const tools: unknown[] = [];
    const seen = new Set<string>();
    let cursor: string | undefined;
    do {
      const page = await readPage(this.client, cursor);
      tools.push(...page.tools);
      cursor = page.nextCursor;
      if (cursor === undefined) return { tools, isCut: false };
      const isAgain = seen.has(cursor);
      seen.add(cursor);
      if (isAgain) break;
    } while (seen.size < MOST_PAGES && tools.length < MOST_LISTED);
    return { tools, isCut: true };
  }

  /**
   * Not the client's `callTool`: that holds the answer against the schema of the server's own, whose patterns may take for ever, and
   * it does so on the event loop.
   */
  async call(
    name: string,
    args: Record<string, unknown>,
    { asker, ...options }: McpCallOptions,
  ): Promise<McpResult> {
    const params = { name, arguments: args };
    const call = this.questions.during(asker, () =>
      this.client.request({ method: 'tools/call', params }, RESULT, { ...options, signal: asker.signal }),
    );
    this.calls.add(call);
    try {
      return await call;
    } finally {
      this.calls.delete(call);
    }
  }

  /** Rejects when the server is not there any more. One that answers is there, whatever it answers: not every server knows `ping`. */
  async ping(): Promise<void> {
    try {
      await this.client.ping({ timeout: ANSWER_MS });
    } catch (error) {
      if (!isAnswer(error)) throw error;
    }
  }

  onClosed(listener: () => void): void {
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the SDK's client is no EventTarget
    this.client.onclose = listener;
  }

  async close(): Promise<void> {
    await this.client.close();
  }

  /** Closes it when the calls under way have their answers. */
  async retire(): Promise<void> {
    await Promise.allSettled(this.calls);
    await this.close();
  }
}

/**
 * Not the client's `listTools`: for one tool that is described in an odd way, that gives none of them.
 */
function readPage(client: McpClient, cursor?: string): Promise<z.output<typeof PAGE>> {
  const params = cursor === undefined ? {} : { cursor };
  return client.request({ method: 'tools/list', params }, PAGE);
}

/** Returns a tool as it is described; undefined if it has no name or no schema. */
export function readTool(described: unknown): McpToolDescription | undefined {
  return TOOL.safeParse(described).data;
}

/** An error that the server has sent, and not the SDK's own for a silence or a broken connection. */
function isAnswer(error: unknown): boolean {
  const { name, code, message } = error as { name?: string; code?: unknown; message?: string };
  return (
    name === 'McpError' && typeof code === 'number' && !/timed out|connection closed/i.test(message ?? '')
  );
}

/**
 * True if a call has not reached the server: it does not know the session, as after a restart, or there is no server. It may be made again in a new
 * session, whatever it does.
 */
export function hasNotArrived(error: unknown): boolean {
  const {
    code,
    message = '',
    cause,
  } = error as {
    readonly code?: unknown;
    readonly message?: string;
    readonly cause?: { readonly code?: unknown };
  };
  if (cause?.code === 'ECONNREFUSED') return true;
  return code === 404 || (code === 400 && /session/i.test(message));
}
