// node scripts/healthcheck.mjs: exit code 0 if the app on this machine is alive. For containers without curl. Not about readiness: an
// orchestrator that restarts what is not ready would end a drain.
const { PORT = '3000', TLS_CERT_FILE } = process.env;

try {
  // A certificate names the outside, and this asks from the inside.
  if (TLS_CERT_FILE) process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  const scheme = TLS_CERT_FILE ? 'https' : 'http';
  const reply = await fetch(`${scheme}://127.0.0.1:${PORT}/health/live`, {
    signal: AbortSignal.timeout(4_000),
  });
  process.exitCode = reply.ok ? 0 : 1;
} catch {
  process.exitCode = 1;
}
