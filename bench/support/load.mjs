// The load generator: a process of its own that reads with plain node:http, counts the model's tokens by their mark and the
// bytes of the bodies, and says how much CPU it took itself, so that it is seen not to be the bottleneck.
//
//   const load = await startLoad()
//   const heard = await load.ask(requests)     all at once; [{ url, method? (POST), headers?, body? }]
//       heard.wallMs, heard.tokens, heard.bytes
//       heard.cpuShare                         of the generator: its CPU time over the wall time; 1 would be a full core
//       heard.answers                          [{ status, tokens, bytes, startedAt, firstAt, lastAt, endedAt, saidFirstAt, saidLastAt }]
//                                              (times in microseconds of the shared clock)
//   await load.ask(requests, { tokens })       and fails when any answer is no 200 or has not exactly so many tokens
//   load.stop()
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ENTRY = fileURLToPath(new URL('./load.process.mjs', import.meta.url));

export async function startLoad() {
  const child = fork(ENTRY, { execArgv: [] });
  const waiting = new Map();
  let ids = 0;
  child.on('message', ({ id, result, error }) => {
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (error) reject(new Error(`The load generator failed: ${error}`));
    else resolve(result);
  });
  child.on('exit', () => {
    for (const { reject } of waiting.values()) reject(new Error('The load generator has ended.'));
  });

  return {
    async ask(requests, expected) {
      const id = (ids += 1);
      const { promise, resolve, reject } = Promise.withResolvers();
      waiting.set(id, { resolve, reject });
      child.send({ id, requests });
      const { wallMs, cpuMs, answers } = await promise;
      if (expected) check(answers, expected, requests);
      return {
        wallMs,
        cpuShare: cpuMs / wallMs,
        tokens: sum(answers.map(({ tokens }) => tokens)),
        bytes: sum(answers.map(({ bytes }) => bytes)),
        answers,
      };
    },
    stop: () => child.kill(),
  };
}

function check(answers, { tokens }, requests) {
  for (const [index, answer] of answers.entries()) {
    if (answer.status === 200 && answer.tokens === tokens) continue;
    throw new Error(
      `${requests[index].url} answered ${answer.status} with ${answer.tokens} of ${tokens} tokens: …${answer.tail}`,
    );
  }
}

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}
