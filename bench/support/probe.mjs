// Preloaded into every server (`node --import`), so that what it uses is asked of the operating system by the process itself,
// to the microsecond and with all its threads. The server knows nothing of it. See server.process.mjs for the other end.
//
//   parent sends { probe: n }      is answered { probe: n, cpuMs, rss, heapUsed, eventLoop }
//   parent sends { probe: n, collect: true }   the same after a garbage collection, when the process runs with --expose-gc
const started = performance.eventLoopUtilization();

process.on('message', (message) => {
  if (message?.probe === undefined) return;
  if (message.collect) globalThis.gc?.();
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  process.send({
    probe: message.probe,
    cpuMs: (user + system) / 1000,
    rss,
    heapUsed,
    eventLoop: performance.eventLoopUtilization(started),
  });
});
// Without its parent nobody would ever end it.
process.on('disconnect', () => process.exit(1));
