import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OpenAPIObject } from '@nestjs/swagger';
import { ChatServer } from '../support/chat.server.js';
import { everything } from '../support/plays.js';

type Schema = Record<string, unknown> & {
  readonly $ref?: string;
  readonly oneOf?: Schema[];
  readonly anyOf?: Schema[];
};
interface Operation {
  readonly responses: Record<string, { readonly content?: Record<string, { readonly schema?: Schema }> }>;
  readonly requestBody?: unknown;
}

describe('OpenAPI document', () => {
  let server: ChatServer;
  let document: OpenAPIObject;

  beforeAll(async () => {
    server = await ChatServer.start({ play: everything, protocols: { prefix: 'protocols' } });
    const response = await fetch(new URL('/openapi.json', server.url));
    document = (await response.json()) as OpenAPIObject;
  });

  afterAll(() => server.close());

  const operation = (method: string, path: string): Operation =>
    (document.paths[`/api/chat${path}`] as unknown as Record<string, Operation>)[method]!;

  it.each([
    ['post', '', ['200', '400', '401', '404', '409', '413', '422', '429']],
    ['post', '/runs', ['202', '400', '401', '404', '409', '413', '422', '429']],
    ['get', '/runs/{runId}', ['200', '400', '401', '404']],
    ['get', '/runs/{runId}/events', ['200', '400', '401', '404', '429']],
    ['post', '/runs/{runId}/cancel', ['202', '400', '401', '404']],
    ['post', '/runs/{runId}/ticket', ['200', '400', '401', '404']],
    ['get', '/threads', ['200', '400', '401']],
    ['get', '/threads/{threadId}', ['200', '400', '401', '404']],
    ['delete', '/threads/{threadId}', ['204', '400', '401', '404', '409']],
    ['get', '/agents', ['200', '400', '401']],
  ])(
    'describes every reply of %s %s, and each error among them as problem+json',
    (method, path, statuses) => {
      const { responses } = operation(method, path);
      expect(Object.keys(responses).sort()).toEqual(expect.arrayContaining(statuses));
      for (const [status, { content }] of Object.entries(responses))
        if (Number(status) >= 400) expect(Object.keys(content ?? {})).toEqual(['application/problem+json']);
    },
  );

  it("describes a 404 and a 409 of LangGraph's routes as a text, with its code in a header", () => {
    const refusals = Object.entries(document.paths)
      .filter(([path]) => path.startsWith('/protocols/langgraph/') && !path.endsWith('/batch'))
      .flatMap(([path, item]) =>
        Object.entries(item as unknown as Record<string, Operation>).flatMap(([method, { responses }]) =>
          Object.entries(responses).map(([status, response]) => ({
            at: `${method} ${path}`,
            status,
            response,
          })),
        ),
      );
    const texts = refusals.filter(({ status }) => ['404', '409'].includes(status));
    expect(texts.length).toBeGreaterThan(30);
    for (const { at, status, response } of texts)
      expect({ at, status, ...response }).toMatchObject({
        headers: { 'Problem-Code': { schema: { type: 'string' } } },
        content: { 'text/plain': { schema: { type: 'string' } } },
      });
    const statuses = (at: string) => refusals.filter((one) => one.at === at).map(({ status }) => status);
    expect(statuses('post /protocols/langgraph/threads/{threadId}/copy')).toContain('409');
    expect(statuses('post /protocols/langgraph/threads/{threadId}/copy')).not.toContain('404');
    expect(statuses('get /protocols/langgraph/threads/{threadId}/runs/{runId}/stream')).not.toContain('404');
  });

  it.each([
    ['post', ''],
    ['get', '/runs/{runId}/events'],
  ])('describes the reply of %s %s as an event stream', (method, path) => {
    expect(Object.keys(operation(method, path).responses['200']?.content ?? {})).toEqual([
      'text/event-stream',
    ]);
  });

  it('describes the events as a union by their type, and includes every event of a full run', async () => {
    const union = document.components?.schemas?.['ChatRunEvent'] as unknown as Schema & {
      readonly discriminator: { readonly propertyName: string; readonly mapping: Record<string, string> };
    };
    expect(union.discriminator.propertyName).toBe('type');
    const described = union.discriminator.mapping;
    for (const reference of Object.values(described))
      expect(document.components?.schemas).toHaveProperty([reference.split('/').at(-1)!]);
    const { events } = await server.finishedRun();
    expect(Object.keys(described)).toEqual(expect.arrayContaining(events.map(({ event }) => event)));
  });
});
