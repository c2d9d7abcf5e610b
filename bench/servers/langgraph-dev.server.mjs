// LangGraph's own open server (`langgraph dev`), started as its command line does, but with JSON log lines from `info` on, as a
// server in production would write them, and with so many queue workers that their number limits nothing; its default is 10.
import { startServer } from '@langchain/langgraph-api/server';

const [cwd, graph] = process.argv.slice(2);
const { host } = await startServer({
  port: 0,
  nWorkers: 200,
  host: '127.0.0.1',
  cwd,
  graphs: { bench: graph },
});
process.stdout.write(`\nPORT ${host.split(':').at(-1)}\n`);
