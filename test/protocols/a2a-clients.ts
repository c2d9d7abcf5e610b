import { Role, TaskState, type Part, type SendMessageRequest, type StreamResponse } from '@a2a-js/sdk';
import { ClientFactory, JsonRpcTransportFactory, type Client } from '@a2a-js/sdk/client';
import { parseLegacyAgentCard } from '@a2a-js/sdk/compat/v0_3/client';

/** A client of either version, made from the card that it finds. */
type Connect = (origin: string) => Promise<Client>;

export const CLIENTS: [string, Connect][] = [
  ['1.0', (origin) => new ClientFactory().createFromUrl(origin)],
  [
    '0.3',
    async (origin) => {
      const card = (await (await fetch(`${origin}/.well-known/agent-card.json`)).json()) as object;
      // What 1.0 has added, a client of 0.3 has never heard of.
      const { supportedInterfaces: _, ...known } = card as { supportedInterfaces: unknown };
      const transports = [new JsonRpcTransportFactory({ legacyCompat: { enabled: true } })];
      return new ClientFactory({ transports }).createFromAgentCard(parseLegacyAgentCard(known));
    },
  ],
];

const toPart = (content: NonNullable<Part['content']>): Part => ({
  content,
  metadata: undefined,
  filename: '',
  mediaType: '',
});

/** A message as the SDK has it, before it writes it down: a text, and data behind it. */
export const toMessage = (
  text: string | undefined,
  { messageId = crypto.randomUUID(), contextId = '', taskId = '' } = {},
  ...data: readonly object[]
): SendMessageRequest => ({
  tenant: '',
  configuration: undefined,
  metadata: undefined,
  message: {
    messageId,
    contextId,
    taskId,
    role: Role.ROLE_USER,
    parts: [
      ...(text === undefined ? [] : [toPart({ $case: 'text', value: text })]),
      ...data.map((value) => toPart({ $case: 'data', value })),
    ],
    metadata: undefined,
    extensions: [],
    referenceTaskIds: [],
  },
});
export const toId = (id: string) => ({ tenant: '', id, historyLength: undefined, metadata: undefined });

/** Folds the updates of a stream as a client that keeps artifacts according to the specification. */
export class Seen {
  taskId = '';
  contextId = '';
  readonly states: string[] = [];
  readonly metadata: string[] = [];
  private readonly artifacts = new Map<string, string>();

  take({ payload }: StreamResponse): void {
    switch (payload?.$case) {
      case 'task':
        this.taskId = payload.value.id;
        this.contextId = payload.value.contextId;
        this.state(payload.value.status?.state);
        for (const artifact of payload.value.artifacts)
          this.artifacts.set(artifact.artifactId, readText(artifact));
        return;
      case 'statusUpdate':
        this.state(payload.value.status?.state);
        this.metadata.push(...Object.keys(payload.value.metadata ?? {}));
        return;
      case 'artifactUpdate': {
        const { artifact, append } = payload.value;
        const before = append ? (this.artifacts.get(artifact!.artifactId) ?? '') : '';
        this.artifacts.set(artifact!.artifactId, before + readText(artifact!));
      }
    }
  }

  get text(): string {
    return [...this.artifacts.values()].join('');
  }

  private state(state: TaskState | undefined): void {
    const name = TaskState[state ?? -1] ?? '';
    if (this.states.at(-1) !== name) this.states.push(name);
  }
}

type Words = {
  readonly parts: readonly { readonly content?: { $case: string; value: unknown } | undefined }[];
};

export function readText({ parts }: Words): string {
  return parts.map(({ content }) => (content?.$case === 'text' ? String(content.value) : '')).join('');
}

export async function watch(updates: AsyncIterable<StreamResponse>, seen = new Seen()): Promise<Seen> {
  for await (const update of updates) seen.take(update);
  return seen;
}
