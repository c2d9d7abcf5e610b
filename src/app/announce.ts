import { styleText } from 'node:util';
import { warningsAboutTools } from './app.tools.js';
import { describeConfig } from './config-describe.js';
import type { Config } from './config.js';
import type { Log } from './log.js';
import { warningsAboutProcess } from './process-warnings.js';

/** Says where it listens and what is on: to a person in a few lines, to a log collector in one. Warnings go to the log. */
export function announce(
  url: string,
  config: Config,
  log: Log,
  output: NodeJS.WriteStream = process.stdout,
): void {
  const warnings = [...config.warnings, ...warningsAboutProcess(), ...warningsAboutTools(config.library)];
  for (const warning of warnings) log.warn({ context: 'Config' }, warning);
  const summary = describeConfig(config);
  if (output.isTTY) output.write(greeting(url, summary));
  else log.info({ context: 'App', url, ...summary }, `listening on ${url}`);
}

function greeting(
  url: string,
  { model, agents, auth, storage, roles }: ReturnType<typeof describeConfig>,
): string {
  const rows = [
    ['model', model === 'demo' ? 'demo, offline; set MODEL for a real one' : model],
    ['agents', agents.join(', ')],
    ['auth', auth === 'none' ? 'none, this machine only' : auth],
    ['data', storage],
    ['roles', roles.join(' and ')],
    ['API', `${url}/docs`],
  ].filter(([, value]) => value !== '');
  const lines = rows.map(([name = '', value = '']) => `  ${styleText('dim', name.padEnd(7))} ${value}`);
  return `\n  nestjs-agent-stream is up: ${styleText('bold', url)}\n\n${lines.join('\n')}\n\n`;
}
