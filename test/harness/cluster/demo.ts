import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { FaultProxy } from '../../../src/testing/fault.proxy.js';
import { freePort } from './free-port.js';
import { PostgresServer } from './postgres.server.js';

// `npm run demo:cluster`: the product on several processes, to be killed by hand.

const MAIN = fileURLToPath(new URL('../../../dist/main.js', import.meta.url));
const RESTART_MS = 5_000;

const stopping = new AbortController();

/** A process of the standalone app that is started again when it dies, as an orchestrator does. */
class Instance {
  private child: ChildProcess | undefined;

  constructor(
    private readonly name: string,
    readonly port: number,
    private readonly env: Readonly<Record<string, string>>,
    private readonly say: (line: string) => void,
  ) {}

  get isUp(): boolean {
    return this.child !== undefined;
  }

  start(): void {
    const env = { ...this.env, PORT: String(this.port), LOG_LEVEL: 'fatal', DRAIN_SECONDS: '2' };
    const child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'ignore', 'inherit'] });
    this.child = child;
    this.say(`${this.name} is process ${child.pid}          kill -9 ${child.pid}`);
    child.once('exit', () => {
      this.child = undefined;
      if (stopping.signal.aborted) return;
      this.say(`${this.name} has died; it comes back in ${RESTART_MS / 1000} seconds`);
      setTimeout(() => !stopping.signal.aborted && this.start(), RESTART_MS).unref();
    });
  }

  stop(): void {
    this.child?.kill('SIGTERM');
  }
}

const say = (line: string): void => void process.stdout.write(`  ${line}\n`);

say('starting PostgreSQL …');
const database = await PostgresServer.start();
const roles = ['api', 'api', 'worker', 'worker'];
const instances: Instance[] = [];
for (const [index, role] of roles.entries()) {
  const env = { DATABASE_URL: database.url, ROLES: role, DEMO_PACE_MS: '120' };
  instances.push(new Instance(`${role} ${(index % 2) + 1}`, await freePort(), env, say));
}
for (const instance of instances) instance.start();
const apis = instances.slice(0, 2);
for (const { port } of instances) await untilReady(port);

let turn = 0;
const proxy = await FaultProxy.listen({
  target: () => {
    turn += 1;
    const next = apis[turn % apis.length];
    return (next?.isUp ? next : apis.find(({ isUp }) => isUp))?.port;
  },
});
say(`PostgreSQL is process ${await database.pid()}          kill -9 ${await database.pid()}`);
say('');
say(`Open ${proxy.origin}, ask something, and kill whatever you like while the answer is written.`);
say('The balancer there sends each connection to the next API process. Ctrl+C ends all of it.');
say('');

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stopAll());
while (!stopping.signal.aborted) {
  await sleep(500);
  if (stopping.signal.aborted || (await database.pid()) !== undefined) continue;
  say(`PostgreSQL has died; it comes back in ${RESTART_MS / 1000} seconds`);
  await sleep(RESTART_MS);
  if (stopping.signal.aborted) break;
  await database.restart();
  say(`PostgreSQL is process ${await database.pid()}          kill -9 ${await database.pid()}`);
}

async function stopAll(): Promise<void> {
  stopping.abort();
  for (const instance of instances) instance.stop();
  while (instances.some(({ isUp }) => isUp)) await sleep(50);
  await proxy.close();
  await database.stop();
  process.exit(0);
}

async function untilReady(port: number): Promise<void> {
  for (;;) {
    const response = await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => undefined);
    if (response?.ok) return;
    await sleep(100);
  }
}
