// The load generator's own process: makes the requests that its parent tells it and says what came back. See load.mjs.
import { Agent, request } from 'node:http';
import { nowMicros } from './scripted.model.mjs';

const MARK = 0x5e;
const STAMP = /<(\d+)$/;
/** A stamp and the protocol around it fit into this much. */
const LOOK_BACK = 32;
/** So much of an answer's last chunk tells why it ended too early. */
const TAIL = 400;

process.on('message', ({ id, requests }) => {
  run(requests).then(
    (result) => process.send({ id, result }),
    (error) => process.send({ id, error: error.stack }),
  );
});
process.on('disconnect', () => process.exit(0));

/** All at once, each on a connection of its own: one that was idle since the last time may just be closing. */
async function run(requests) {
  const agent = new Agent({ maxSockets: Infinity });
  const startedAt = performance.now();
  const cpu = process.cpuUsage();
  const answers = await Promise.all(requests.map((request) => ask(request, agent)));
  const wallMs = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpu);
  return { wallMs, cpuMs: (user + system) / 1000, answers };
}

function ask({ url, method = 'POST', headers = {}, body }, agent) {
  return new Promise((resolve, reject) => {
    const startedAt = nowMicros();
    const call = request(
      url,
      { method, agent, headers: { ...(body && JSON_BODY), ...headers } },
      (response) => {
        const heard = { status: response.statusCode, tokens: 0, bytes: 0, startedAt, firstAt: 0, lastAt: 0 };
        const stamps = [];
        let before = '';
        let tail = '';
        response.on('data', (chunk) => {
          const at = nowMicros();
          heard.bytes += chunk.length;
          let from = chunk.indexOf(MARK);
          if (from !== -1) {
            if (heard.tokens === 0) heard.firstAt = at;
            heard.lastAt = at;
          }
          for (; from !== -1; from = chunk.indexOf(MARK, from + 1)) {
            heard.tokens += 1;
            const stamp = stampBefore(chunk, from, before);
            if (stamp !== undefined) stamps.push(stamp);
          }
          before = chunk.latin1Slice(Math.max(0, chunk.length - LOOK_BACK));
          tail = chunk.toString().slice(-TAIL);
        });
        response.on('end', () =>
          resolve({
            ...heard,
            tail,
            endedAt: nowMicros(),
            saidFirstAt: stamps[0],
            saidLastAt: stamps.at(-1),
          }),
        );
        response.on('error', reject);
      },
    );
    call.on('error', reject);
    call.end(body && JSON.stringify(body));
  });
}

const JSON_BODY = { 'content-type': 'application/json' };

/** Returns the time at which the token that ends at this mark was sent, if the mark tells it. */
function stampBefore(chunk, mark, before) {
  const start = Math.max(0, mark - LOOK_BACK);
  const text = chunk.latin1Slice(start, mark);
  const [, micros] = STAMP.exec(start === 0 ? before + text : text) ?? [];
  return micros === undefined ? undefined : Number(micros);
}
