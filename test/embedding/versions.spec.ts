import { describe, expect, it } from '@jest/globals';
import { VERSION_NEUTRAL, VersioningType, type VersioningOptions } from '@nestjs/common';
import { ChatModule } from '../../src/chat/chat.module.js';
import type { ChatModuleExtras } from '../../src/chat/chat.options.js';
import { MemoryStorage } from '../../src/storage/memory/memory.storage.js';
import { ScriptedAgent } from '../../src/testing/scripted.agent.js';
import { nineWords } from '../support/plays.js';
import { FRAMEWORKS, hostServers } from './host.server.js';

interface Versioning {
  readonly name: string;
  readonly options: VersioningOptions;
  /** Asks for version 2, in the way of this type. */
  readonly two: { readonly prefix?: string; readonly headers?: Record<string, string> };
}

const VERSIONING_TYPES: readonly Versioning[] = [
  { name: 'the URI', options: { type: VersioningType.URI }, two: { prefix: '/v2' } },
  {
    name: 'a header',
    options: { type: VersioningType.HEADER, header: 'x-version' },
    two: { headers: { 'x-version': '2' } },
  },
  {
    name: 'the media type',
    options: { type: VersioningType.MEDIA_TYPE, key: 'v=' },
    two: { headers: { accept: 'text/event-stream;v=2' } },
  },
  {
    name: "an extractor of the host's",
    options: {
      type: VersioningType.CUSTOM,
      extractor: (request) =>
        (request as { headers: Record<string, string | undefined> }).headers['x-api'] ?? '',
    },
    two: { headers: { 'x-api': '2' } },
  },
];

describe.each(FRAMEWORKS)('in a host that versions its routes, on %s', (framework) => {
  const start = hostServers();

  const serve = (versioning: VersioningOptions, extras: ChatModuleExtras = {}) =>
    start(
      ChatModule.forRoot({
        ...extras,
        storage: new MemoryStorage(),
        agents: () => [new ScriptedAgent(nineWords)],
        auth: { kind: 'local' },
        drainMs: 0,
      }),
      {
        framework,
        prepare: (app) => void app.enableVersioning({ defaultVersion: '1', ...versioning }),
      },
    );

  it.each(VERSIONING_TYPES)(
    'routes take requests that name no version, as an EventSource does, when it is in $name',
    async ({ options, two }) => {
      const server = await serve(options);
      const asked = await server.ask();
      await asked.closed();
      expect(asked.status).toBe(200);
      const runPath = `/api/chat/runs/${String(asked.frames[0]!.data['runId'])}`;
      const { body } = await server.call('POST', `${runPath}/ticket`);
      const watched = await server.stream(String(body['eventsUrl']));
      await watched.closed();
      expect(watched.events).toEqual(asked.events);

      // With a version in the request, unless it is in the path, the routes are the same.
      if (two.headers) {
        const versioned = await server.ask('/api/chat', { headers: two.headers });
        expect(await versioned.closed()).toBe('end');
      }
    },
  );

  it.each(VERSIONING_TYPES)(
    'routes have the version that they are given, and links lead to it, when it is in $name',
    async ({ options, two: { prefix = '', headers = {} } }) => {
      const server = await serve(options, { version: '2' });
      expect(await server.call('POST', '/api/chat', { body: { message: 'hello' } })).toMatchObject({
        status: 404,
      });
      const asked = await server.ask(`${prefix}/api/chat`, { headers });
      await asked.closed();
      const { location } = asked.response.headers;
      expect(location).toMatch(new RegExp(`^${prefix}/api/chat/runs/`));
      const again = await server.stream(location!, { headers });
      await again.closed();
      expect(again.events).toEqual(asked.events);
    },
  );

  it('routes can have several versions, and none', async () => {
    const server = await serve({ type: VersioningType.URI }, { version: ['2', VERSION_NEUTRAL] });
    for (const path of ['/api/chat', '/v2/api/chat']) {
      const asked = await server.ask(path);
      expect(await asked.closed()).toBe('end');
      expect(asked.status).toBe(200);
    }
  });
});
