import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import type { OpenAPIObject } from '@nestjs/swagger';
import { startApp } from '../support/app.server.js';
import { describeHost, startHost } from './documents.js';

const VERSIONS = ['3.0.0', '3.1.0', '3.2.0'];
const CREDENTIALS = { AUTH_API_KEYS: '0123456789abcdef:ann@acme' };

/** Every object in a document, and where it is. */
function* nodesIn(node: unknown, at = '#'): Generator<[string, Record<string, unknown>]> {
  if (typeof node !== 'object' || node === null) return;
  yield [at, node as Record<string, unknown>];
  for (const [key, child] of Object.entries(node)) yield* nodesIn(child, `${at}/${key}`);
}

function find(document: object, reference: string): unknown {
  const steps = reference.replace(/^#\//, '').split('/');
  return steps.reduce<unknown>(
    (node, step) => (node as Record<string, unknown> | undefined)?.[step.replaceAll('~1', '/')],
    document,
  );
}

describe('OpenAPI document', () => {
  const documents = new Map<string, OpenAPIObject>();

  beforeAll(async () => {
    for (const [name, env] of [
      ['standalone', {}],
      ['standalone, with credentials', CREDENTIALS],
    ] as const) {
      const app = await startApp(env);
      documents.set(name, (await (await fetch(`${app.origin}/openapi.json`)).json()) as OpenAPIObject);
      await app.close();
    }
    const host = await startHost();
    for (const version of VERSIONS) documents.set(`a host's, ${version}`, describeHost(host, version));
    await host.close();
  });

  afterAll(() => documents.clear());

  describe.each([
    'standalone',
    'standalone, with credentials',
    ...VERSIONS.map((version) => `a host's, ${version}`),
  ])('document: %s', (name) => {
    it("passes redocly's recommended rules without a warning", async () => {
      const config = await createConfig({ extends: ['recommended'] });
      const problems = await lintFromString({ source: JSON.stringify(documents.get(name)), config });
      expect(
        problems.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer]),
      ).toEqual([]);
    });

    it('contains no reference to a missing target', () => {
      const document = documents.get(name)!;
      const references = [...nodesIn(document)].flatMap(([at, { $ref }]) =>
        typeof $ref === 'string' ? [[at, $ref] as const] : [],
      );
      expect(references.filter(([, reference]) => find(document, reference) === undefined)).toEqual([]);
    });

    it('gives each operation of the API a unique id and at least one 4xx reply', () => {
      const operations = Object.values(documents.get(name)!.paths).flatMap((item) => Object.values(item));
      const ids = operations.map(({ operationId }: { operationId: string }) => operationId);
      expect(ids.length).toBeGreaterThan(50);
      expect(new Set(ids).size).toBe(ids.length);
      for (const { responses } of operations as { responses: object }[])
        expect(Object.keys(responses).filter((status) => status.startsWith('4'))).not.toEqual([]);
    });

    it('uses no keyword in the schemas that versions of OpenAPI read differently', () => {
      const odd = [...nodesIn(documents.get(name)!.components?.schemas, '#/components/schemas')].filter(
        ([at, node]) =>
          !at.endsWith('/properties') &&
          ('nullable' in node ||
            'const' in node ||
            'exclusiveMinimum' in node ||
            Array.isArray(node['type'])),
      );
      expect(odd).toEqual([]);
    });
  });

  it("keeps the host's own models, and prefixes all of ours with Chat", () => {
    const schemas = documents.get("a host's, 3.0.0")!.components!.schemas!;
    expect(schemas['Session']).toMatchObject({ properties: { room: { type: 'string' } } });
    expect(Object.keys(schemas).filter((schema) => !schema.startsWith('Chat'))).toEqual(['Session']);
  });

  it("requires the host's security scheme on every route that is not open to everybody", () => {
    const isOpen = (path: string) => /well-known|langgraph\/(ok|info)$/.test(path);
    const { paths } = documents.get("a host's, 3.0.0")!;
    for (const [path, item] of Object.entries(paths))
      for (const { security } of Object.values(item) as { security?: unknown }[])
        expect([path, security]).toEqual([path, isOpen(path) ? [] : [{ bearer: [] }]]);
  });
});
