import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NEST } from './packages.mjs';
import { compile } from './matrix.mjs';
import { ROOT } from './workshop.mjs';

const SECRET = 'a-secret-that-only-the-orders-know';

/** `examples/embedded`, as it is, with the packages of each major: it compiles, starts, and answers who is signed in. */
export async function tryExample(workshop, { majors }) {
  for (const nest of majors)
    for (const framework of ['express', 'fastify'])
      await workshop.try(`examples/embedded, Nest ${nest}, ${framework}`, async () => {
        const folder = join(await workshop.install(nest), `example-${framework}`);
        for (const part of ['src', 'tsconfig.json', 'package.json'])
          await cp(join(ROOT, 'examples/embedded', part), join(folder, part), { recursive: true });
        await rangesInclude(folder, nest);
        await compile(workshop, folder, nest);
        const { server, url } = await workshop.serve(process.execPath, ['dist/main.js'], {
          cwd: folder,
          env: { PORT: '0', JWT_SECRET: SECRET, FRAMEWORK: framework, MODEL: 'openai:gpt-4.1-mini' },
        });
        try {
          await askForLamp(folder, url);
        } finally {
          server.kill('SIGKILL');
        }
      });
}

/** Its manifest must take this major, or a team of that major could not install it. */
async function rangesInclude(folder, major) {
  const { dependencies } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const range = dependencies['@nestjs/core'];
  if (!range.split(' || ').includes(NEST[major].nest.core))
    throw new Error(`The example asks for Nest ${range}.`);
}

async function askForLamp(folder, url) {
  const program = join(folder, 'token.mjs');
  await writeFile(
    program,
    `import { SignJWT } from 'jose';
     export const token = await new SignJWT({ company: 'acme' }).setProtectedHeader({ alg: 'HS256' }).setSubject('ada')
       .sign(Buffer.from('${SECRET}'));`,
  );
  const { token } = await import(program);
  const post = (headers) =>
    fetch(`${url}/api/assistant`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: '{"message":"What is the price of a lamp?"}',
    });
  const stranger = await post({});
  if (stranger.status !== 401) throw new Error(`A stranger gets ${stranger.status}.`);
  // The orders have no tool for prices: the model hears that, and answers all the same.
  const text = await (await post({ authorization: `Bearer ${token}` })).text();
  if (!text.includes('"outcome":"completed"')) throw new Error(text);
}
