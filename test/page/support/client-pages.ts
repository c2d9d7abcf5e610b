import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const EXAMPLES = fileURLToPath(new URL('../../../examples/clients/', import.meta.url));
const REACT = join(EXAMPLES, 'react');

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css',
  '.js': 'text/javascript',
};

/** Installs what the React pages need, unless it is there, and builds them, as their reader would. */
export async function buildReactPages(): Promise<void> {
  if (!(await isInstalled())) await run('npm', ['ci'], { cwd: REACT });
  await run('npm', ['run', 'build'], { cwd: REACT });
}

/** The pages of examples/clients, from an origin of their own. */
export class ClientPages {
  private constructor(private readonly server: Server) {}

  static async serve(): Promise<ClientPages> {
    const server = createServer((request, response) => {
      const { pathname } = new URL(request.url!, 'http://pages');
      const path = join(EXAMPLES, pathname.endsWith('/') ? `${pathname}index.html` : pathname);
      readFile(path).then(
        (content) => response.setHeader('content-type', TYPES[extname(path)] ?? '').end(content),
        () => response.writeHead(404).end(),
      );
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return new ClientPages(server);
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** A page that talks to this server, and to this agent there. */
  toUrl(page: string, server: string, agent = 'assistant'): string {
    return `${this.origin}/${page}?${new URLSearchParams({ server, agent }).toString()}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await once(this.server.close(), 'close');
  }
}

/** npm notes in node_modules when it has installed from which lock. */
async function isInstalled(): Promise<boolean> {
  const installed = await stat(join(REACT, 'node_modules/.package-lock.json')).catch(() => undefined);
  const locked = await stat(join(REACT, 'package-lock.json'));
  return installed !== undefined && installed.mtimeMs >= locked.mtimeMs;
}
