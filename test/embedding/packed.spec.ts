import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { LLMock } from '@copilotkit/aimock';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { SignJWT } from 'jose';
import { EventStream } from '../support/event-stream.js';
import { FRAMEWORKS, type Framework } from './host.server.js';
import { compile, copyExample, installPacked, linkPackages } from './packed-package.js';

const run = promisify(execFile);

const JWT_SECRET = 'a-secret-that-only-the-orders-know';
const SLOW_MS = 120_000;

/** `import … from 'name'`, `export … from 'name'`, `import 'name'`, `import('name')`; not relative ones. */
const IMPORTED = /(?:^(?:import|export)(?: [^'"\n]* from)? |\bimport\()['"](?<name>[^.'"][^'"]*)['"]/gm;

/** Packages that the host lists itself beside our peers. */
const HOST_PACKAGES = [
  '@jest/globals',
  '@modelcontextprotocol/sdk',
  '@langchain/openai',
  '@nestjs/config',
  '@nestjs/platform-express',
  '@nestjs/platform-fastify',
  '@nestjs/swagger',
  '@nestjs/terminus',
  '@nestjs/testing',
  '@types/node',
  'jose',
  'nestjs-cls',
];

const GUIDES = [
  'embed',
  'replicas',
  'write-a-tool',
  'approvals',
  'mcp',
  'inspector',
  'operators',
  'bring-your-own-graph',
  'testing',
  'files',
  'feedback',
  'front-ends',
  'branches',
  'brand',
  'memory',
  'questions',
  '../production/sign-in',
  '../production/security-events',
];

/** Packages of which a host has one or another. */
const DRIVERS = ['pg', '@langchain/langgraph-checkpoint-postgres', 'ioredis', '@aws-sdk/client-s3'];

describe('packed package in an empty folder', () => {
  let folder: string;
  const mock = new LLMock({ port: 0, logLevel: 'silent' });
  const running: ChildProcess[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'packed-'));
    await installPacked(folder, HOST_PACKAGES);
    await copyExample('embedded', folder);
    await compile(folder);
    await mock.start();
    mock.on(
      { userMessage: /A-17/, hasToolResult: false },
      { toolCalls: [{ id: 'call_1', name: 'find_order', arguments: '{"id":"A-17"}' }] },
    );
    mock.on({ userMessage: /A-17/, hasToolResult: true }, { content: 'It has been shipped.' });
    mock.on(
      { userMessage: /Cancel G-4/, hasToolResult: false },
      { toolCalls: [{ id: 'call_1', name: 'cancel_order', arguments: '{"id":"G-4"}' }] },
    );
    mock.on({ userMessage: /Cancel G-4/, hasToolResult: true }, { content: 'Done.' });
  }, SLOW_MS);

  afterEach(async () => {
    for (const child of running.splice(0)) {
      if (child.exitCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });

  afterAll(async () => {
    await mock.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function serve(framework: Framework): Promise<string> {
    const child = spawn(process.execPath, ['dist/main.js'], {
      cwd: folder,
      env: {
        PATH: process.env['PATH'],
        NO_COLOR: '1',
        PORT: '0',
        FRAMEWORK: framework,
        JWT_SECRET,
        DATA_DIR: join(folder, `data-${framework}`),
        MODEL: 'openai:gpt-4.1-mini',
        OPENAI_API_KEY: 'sk-of-nobody',
        OPENAI_BASE_URL: `${mock.url}/v1`,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    running.push(child);
    for await (const line of createInterface({ input: child.stdout })) {
      const [, url] = /^orders at (\S+)/.exec(line) ?? [];
      if (!url) continue;
      child.stdout.resume();
      return url;
    }
    throw new Error('The orders ended before they listened.');
  }

  const toToken = (company: string) =>
    new SignJWT({ company })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject('ada')
      .sign(Buffer.from(JWT_SECRET));

  it.each(FRAMEWORKS)(
    'serves chats, tools, tickets and approvals in an existing application on %s',
    async (framework) => {
      const url = await serve(framework);
      const authorization = `Bearer ${await toToken('acme')}`;

      const strangers = await fetch(`${url}/api/orders`);
      expect(await strangers.json()).toEqual({
        message: 'Sign in first.',
        error: 'Unauthorized',
        statusCode: 401,
      });
      const orders = await fetch(`${url}/api/orders`, { headers: { authorization } });
      expect(await orders.json()).toMatchObject([{ id: 'A-17' }]);
      const stranger = await fetch(`${url}/api/assistant`, { method: 'POST', body: '{}' });
      expect(stranger.status).toBe(401);

      const ask = { method: 'POST', headers: { authorization }, body: { message: 'Where is A-17?' } };
      const stream = await EventStream.open(`${url}/api/assistant`, ask);
      expect(await stream.closed()).toBe('end');
      expect((await stream.frame('tool-start')).data).toMatchObject({
        toolName: 'find_order',
        label: 'Looking up order A-17…',
        input: { id: 'A-17' },
      });
      expect((await stream.frame('tool-end')).data).toMatchObject({
        outcome: 'ok',
        output: { id: 'A-17', state: 'shipped' },
      });
      expect(stream.text).toBe('It has been shipped.');

      const { runId } = stream.frames[0]!.data;
      const ticket = await fetch(`${url}/api/assistant/runs/${String(runId)}/ticket`, {
        method: 'POST',
        headers: { authorization },
      });
      const { eventsUrl } = (await ticket.json()) as { eventsUrl: string };
      const replay = await EventStream.open(`${url}${eventsUrl}`);
      await replay.closed();
      expect(replay.events).toEqual(stream.events);

      const globex = `Bearer ${await toToken('globex')}`;
      const headers = { authorization: globex };
      const asked = { method: 'POST', headers, body: { message: 'Cancel G-4.' } };
      const waiting = await EventStream.open(`${url}/api/assistant`, asked);
      await waiting.closed();
      const { inputId } = (await waiting.frame('input-request')).data;
      const { runId: stopped } = waiting.frames[0]!.data;
      const readOrders = async () =>
        (await (await fetch(`${url}/api/orders`, { headers })).json()) as unknown[];
      expect(await readOrders()).toHaveLength(1);
      const answer = await fetch(`${url}/api/assistant/runs/${String(stopped)}/inputs/${String(inputId)}`, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: '{"decision":"approve"}',
      });
      const { continuedBy } = (await answer.json()) as { continuedBy: { eventsUrl: string } };
      const rest = await EventStream.open(`${url}${continuedBy.eventsUrl}`, { headers });
      await rest.closed();
      expect(rest.text).toBe('Done.');
      expect(await readOrders()).toEqual([]);

      const document = (await (await fetch(`${url}/docs/openapi.json`)).json()) as { paths: object };
      expect(Object.keys(document.paths)).toEqual(
        expect.arrayContaining(['/api/orders', '/api/assistant', '/api/assistant/runs/{runId}/events']),
      );
    },
    SLOW_MS,
  );

  it('needs fewer than 15 lines of ChatModule options in the example application', async () => {
    const source = await readFile(join(folder, 'src/app.module.ts'), 'utf8');
    const [, lines = ''] = /chat: begin\n([^]*?)\n *\/\/ chat: end/.exec(source) ?? [];
    expect(lines.split('\n').length).toBeGreaterThan(5);
    expect(lines.split('\n').length).toBeLessThan(15);
  });

  it('loads every entry of the package by import and by require, or names what to install for it', async () => {
    await writeFile(
      join(folder, 'load.cjs'),
      `const load = async (entry) => {
         try {
           const required = Object.keys(require(entry));
           const imported = Object.keys(await import(entry));
           return { entry, same: String(required) === String(imported), count: required.length };
         } catch (error) {
           return { entry, code: error.code, told: error.message };
         }
       };
       Promise.all(process.argv.slice(2).map(load)).then((loaded) => console.log(JSON.stringify(loaded)));`,
    );
    const load = async (entries: readonly string[]) => {
      const { stdout } = await run(process.execPath, ['load.cjs', ...entries], { cwd: folder });
      return JSON.parse(stdout) as { entry: string; count: number }[];
    };
    const free = ['', '/client', '/langgraph', '/storage', '/testing', '/tools'].map(
      (entry) => `nestjs-agent-stream${entry}`,
    );
    const needy = ['postgres', 'redis', 's3'].map((entry) => `nestjs-agent-stream/${entry}`);

    expect(await load(needy)).toMatchObject([
      {
        code: 'CONFIG_INVALID',
        told: expect.stringMatching(/npm i pg @langchain\/langgraph-checkpoint-postgres$/),
      },
      { code: 'CONFIG_INVALID', told: expect.stringMatching(/npm i ioredis$/) },
      { code: 'CONFIG_INVALID', told: expect.stringMatching(/npm i @aws-sdk\/client-s3$/) },
    ]);
    await linkPackages(folder, DRIVERS);
    const loaded = await load([...free, ...needy]);
    expect(loaded).toMatchObject([...free, ...needy].map((entry) => ({ entry, same: true })));
    for (const { count } of loaded) expect(count).toBeGreaterThan(0);
  });

  it(
    'compiles every snippet of the guides',
    async () => {
      const snippets = join(folder, 'guides');
      await mkdir(join(snippets, 'src'), { recursive: true });
      await cp(join(folder, 'tsconfig.json'), join(snippets, 'tsconfig.json'));
      await writeFile(join(snippets, 'package.json'), '{ "type": "module" }');
      await linkPackages(folder, [...DRIVERS, '@types/pg']);
      let count = 0;
      for (const guide of GUIDES) {
        const text = await readFile(new URL(`../../docs/guides/${guide}.md`, import.meta.url), 'utf8');
        for (const [, snippet] of text.matchAll(/```ts\n([^]*?)```/g))
          await writeFile(join(snippets, 'src', `${basename(guide)}-${++count}.ts`), snippet!);
      }
      expect(count).toBeGreaterThan(GUIDES.length);
      await compile(snippets);
    },
    SLOW_MS,
  );

  it('leaves mathjs and world-countries to applications that need them, and names them when missing', async () => {
    await writeFile(
      join(folder, 'optional.mjs'),
      `import { createModel } from 'nestjs-agent-stream/langgraph';
       import { CalculatorTool, ClockTool, DataLookupTool } from 'nestjs-agent-stream/tools';
       const told = async (use) => {
         try { return (await use()).constructor.name; } catch (error) { return error.code + ': ' + error.message; }
       };
       console.log(JSON.stringify([
         await told(() => new ClockTool()),
         await told(() => new CalculatorTool()),
         await told(() => new DataLookupTool({})),
         await told(() => createModel('demo', { timeoutMs: 1 })),
       ]));`,
    );
    const { stdout } = await run(process.execPath, ['optional.mjs'], { cwd: folder });
    expect(JSON.parse(stdout)).toEqual([
      'ClockTool',
      expect.stringMatching(/^CONFIG_INVALID: .*calculator.*npm i mathjs$/),
      expect.stringMatching(/^CONFIG_INVALID: .*data_lookup.*npm i world-countries$/),
      'DemoModel',
    ]);
    const manifest = JSON.parse(
      await readFile(join(folder, 'node_modules/nestjs-agent-stream/package.json'), 'utf8'),
    ) as { dependencies: object; private?: boolean };
    expect(manifest).not.toHaveProperty('private');
    const { dependencies } = manifest;
    expect(
      Object.keys(dependencies).filter((name) => /pino|helmet|express|langchain|mathjs/.test(name)),
    ).toEqual([]);
  });

  it('imports no package that the published manifest does not declare', async () => {
    const own = join(folder, 'node_modules/nestjs-agent-stream');
    const manifest = JSON.parse(await readFile(join(own, 'package.json'), 'utf8')) as Record<string, object>;
    const declared = new Set([
      ...Object.keys(manifest['dependencies']!),
      ...Object.keys(manifest['peerDependencies']!),
      ...builtinModules,
    ]);
    const seen = new Set<string>();
    const undeclared: string[] = [];
    for (const file of await readdir(join(own, 'dist'), { recursive: true })) {
      if (!file.endsWith('.js')) continue;
      const source = await readFile(join(own, 'dist', file), 'utf8');
      for (const { groups } of source.matchAll(IMPORTED)) {
        const name = groups?.['name'];
        const root = name?.startsWith('@') ? name.split('/', 2).join('/') : name?.split('/')[0];
        if (root === undefined || root.startsWith('node:')) continue;
        seen.add(root);
        if (!declared.has(root)) undeclared.push(`${file}: ${root}`);
      }
    }
    expect([...seen]).toEqual(expect.arrayContaining(['@nestjs/common', 'langchain', 'pg', 'zod']));
    expect(undeclared).toEqual([]);
  });

  it('publishes no file of the standalone app, the tests or the web page', async () => {
    const files = await readdir(join(folder, 'node_modules/nestjs-agent-stream'), { recursive: true });
    expect(files).toEqual(
      expect.arrayContaining([
        'dist/index.d.ts',
        'dist/client/index.js',
        'schematics/collection.json',
        'schematics/nest-add/files/assistant.module.ts.template',
        'README.md',
        'LICENSE',
      ]),
    );
    expect(
      files.filter((file) => /^(dist\/(app|main)|src|web|test)|\.spec\.[jt]s$|\.testing\.|\.map$/.test(file)),
    ).toEqual([]);
  });
});
