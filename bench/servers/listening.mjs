// What the small servers have in common.
//
//   listen(server)           on a free port of this machine, and says `PORT <n>`, for support/server.process.mjs
//   await promptIn(request)  the `prompt` of a JSON body
//   SSE                      the headers of an event stream
export const SSE = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
};

export function listen(server) {
  server.listen(0, '127.0.0.1', () => process.stdout.write(`PORT ${server.address().port}\n`));
}

export async function promptIn(request) {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  return JSON.parse(text).prompt;
}
