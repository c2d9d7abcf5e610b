import { SECTIONS } from './settings.js';
import type { Section, Setting } from './setting.js';

/** Mark of the tables' place on the reference page. */
export const TABLES_BEGIN =
  '<!-- The tables below are written by `npm run settings`, from src/app/settings. -->';
export const TABLES_END = '<!-- Here they end. -->';

const WIDTH = 120;

/** Writes the tables of `docs/reference/configuration.md`. */
export function writeTables(): string {
  return SECTIONS.map(({ title, intro, outro, settings }) => {
    const rows = Object.entries(settings).map(([name, setting]) => writeRow(name, setting));
    const table = ['| Setting | Default | Effect |', '|---|---|---|', ...rows].join('\n');
    return [`## ${title}`, intro, table, outro].filter((block) => block !== undefined).join('\n\n');
  }).join('\n\n');
}

function writeRow(name: string, setting: Setting): string {
  const { effect, details, option } = setting;
  const inCode = /^(chat|library)\./.test(option) && `Option: \`${option.replace(/^chat\./, '')}\`.`;
  const text = [effect, details, inCode].filter(Boolean).join(' ').replaceAll('|', '\\|');
  return `| \`${name}\` | ${writeDefault(setting, (value) => `\`${value}\``)} | ${text} |`;
}

/** Writes `.env.example`. */
export function writeExample(): string {
  const head = [
    '# Copy to .env and uncomment what you want to change. A line shows the default, or an example where there is none.',
    '# docs/reference/configuration.md says more about each. With an invalid setting, the app exits and lists all faults.',
  ].join('\n');
  return `${[head, ...SECTIONS.map(writeSection)].join('\n\n')}\n`;
}

function writeSection({ title, intro, settings }: Section): string {
  const rule = `# --- ${title.toLowerCase()} `.padEnd(WIDTH, '-');
  const lines = Object.entries(settings).flatMap(([name, setting]) => writeLines(name, setting));
  return [rule, ...(intro === undefined ? [] : wrap(intro)), ...lines].join('\n');
}

function writeLines(name: string, setting: Setting): string[] {
  const written = writtenDefault(setting);
  const unset = written === undefined ? ` Default: ${writeDefault(setting, (value) => value)}.` : '';
  return [...wrap(setting.effect + unset), `#${name}=${written ?? writeExampleValue(setting)}`];
}

/** A key that is made up would work, and would be known to everybody. */
function writeExampleValue({ example, isSecret }: Setting): string {
  return isSecret && !example.includes('://') ? '' : example;
}

function writeDefault(setting: Setting, mark: (value: string) => string): string {
  const written = writtenDefault(setting);
  return written === undefined ? (setting.unset ?? 'none') : mark(written);
}

function writtenDefault({ format, default: value }: Setting): string | undefined {
  return value === undefined ? undefined : format.write(value!) || undefined;
}

/** Breaks a text into comment lines. */
function wrap(text: string): string[] {
  const lines = [''];
  for (const word of text.replaceAll('`', '').split(' ')) {
    const line = `${lines.at(-1)} ${word}`;
    if (`#${line}`.length > WIDTH) lines.push(` ${word}`);
    else lines[lines.length - 1] = line;
  }
  return lines.map((line) => `#${line}`);
}
