import type { Intent } from './demo-intents.js';
import { quotable } from './demo-quotes.js';
import type { ToolRole } from './demo-tools.js';

/** The outcome of a tool call, as the answer uses it. */
export interface ToolOutcome {
  readonly toolName: string;
  readonly role: ToolRole | undefined;
  /** The intent behind the call; undefined if the thread does not tell. */
  readonly intent: Intent | undefined;
  readonly failed: boolean;
  /** The tool's result for the model: JSON, or plain text. */
  readonly text: string;
}

type Fields = Readonly<Record<string, unknown>>;

const MOST_ROWS = 25;
const MOST_PASSAGES = 4;
const MOST_LETTERS = 1_500;
const numbers = new Intl.NumberFormat('en-US', { maximumFractionDigits: 10 });

/** The part of an answer that one tool call is for, in Markdown. */
export function writeResult(outcome: ToolOutcome): string {
  if (outcome.failed) return writeFailure(outcome);
  const value = asAsked(parse(outcome.text));
  switch (outcome.role) {
    case 'calculator':
      return writeCalculation(value, outcome.intent);
    case 'clock':
      return writeTime(value, outcome.intent);
    case 'lookup':
      return writeRows(value, outcome.intent);
    case 'knowledge':
      return writePassages(value, 'In the documentation:', 'The documentation has nothing on this.');
    case 'search':
      return writePassages(value, 'The web search found:', 'The web search found nothing.');
    case 'fetch':
      return writePage(value);
    case undefined:
      return `\`${outcome.toolName}\` answered:\n\n${quote(outcome.text.slice(0, MOST_LETTERS))}`;
  }
}

/** Returns the result itself. If a person has changed the arguments, the result comes together with them. */
function asAsked(value: unknown): unknown {
  const { arguments: changed, result } = toFields(value);
  return changed === undefined ? value : result;
}

/**
 * A tool's error text is for the model. An answer is shown to people and kept, so only a sentence that names a setting is
 * passed on; it says what to do and nothing of the inside.
 */
function writeFailure({ role, toolName, text }: ToolOutcome): string {
  if (text.includes('was not approved')) return `You did not approve the use of \`${toolName}\`.`;
  const what: Record<ToolRole, string> = {
    calculator: 'The calculator could not compute this. Try to write it as a formula, such as (3 + 4) * 2.',
    clock: 'The clock could not tell the time there. Name a larger city, or a zone such as Europe/Vienna.',
    lookup: 'The data could not be looked up.',
    knowledge: 'The documentation could not be searched.',
    search: 'The web could not be searched.',
    fetch:
      'The page could not be fetched. The address may be wrong, not answering, or one that is not allowed from here.',
  };
  const sentence = role ? what[role] : `The tool \`${toolName}\` failed.`;
  const remedy = /[^.:{}"]*\bnot configured\b[^{}"]*|\bSet [A-Z][A-Z_]{3,}\b[^{}"]*/
    .exec(text.slice(0, MOST_LETTERS))?.[0]
    .trim();
  return remedy ? `${sentence} ${remedy}` : sentence;
}

function writeCalculation(value: unknown, intent: Intent | undefined): string {
  const fields = toFields(value);
  const result = fields.result ?? fields.value ?? value;
  const expression = intent?.kind === 'calculation' ? intent.expression : fields.expression;
  const shown = show(typeof result === 'string' && /^-?\d+(\.\d+)?$/.test(result) ? Number(result) : result);
  return typeof expression === 'string' ? `\`${expression}\` = **${shown}**` : `**${shown}**`;
}

function writeTime(value: unknown, intent: Intent | undefined): string {
  const { local, weekday, offset, timeZone } = toFields(value);
  const place = intent?.kind === 'time' ? intent.place : show(timeZone);
  const [, date, time] = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)/.exec(typeof local === 'string' ? local : '') ?? [];
  if (!date || !time) return `The time in ${place}: **${show(value)}**`;
  const zone = [timeZone, offset && `UTC${show(offset)}`].filter(Boolean).join(', ');
  return `In ${place} it is **${time}** on ${show(weekday)}, ${longDate(date)} (${zone}).`;
}

function longDate(date: string): string {
  return new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' }).format(
    new Date(`${date}T00:00:00Z`),
  );
}

function writeRows(value: unknown, intent: Intent | undefined): string {
  const rows = toRows(value);
  const heading = intent?.kind === 'countries' ? writeHeading(intent) : 'The data says:';
  if (rows.length === 0) return `${heading}\n\nNo such entry in the data.`;
  const columns = Object.keys(rows[0] ?? {});
  const numeric = new Set(columns.filter((column) => rows.every((row) => typeof row[column] === 'number')));
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const table = [
    line(columns.map(title)),
    line(columns.map((column) => (numeric.has(column) ? '---:' : '---'))),
    ...rows.slice(0, MOST_ROWS).map((row) => line(columns.map((column) => cell(row[column])))),
  ].join('\n');
  const more = rows.length > MOST_ROWS ? `\n\nAnd ${rows.length - MOST_ROWS} more.` : '';
  return `${heading}\n\n${table}${more}`;
}

/** Rows as objects, or as arrays beside a list of columns. */
function toRows(value: unknown): Fields[] {
  const { rows = value, columns } = toFields(value);
  if (!Array.isArray(rows)) return [];
  return rows.map((row: unknown) =>
    Array.isArray(row) && Array.isArray(columns)
      ? Object.fromEntries(row.map((cell: unknown, at) => [String(columns[at]), cell]))
      : toFields(row),
  );
}

function writeHeading({ question }: Extract<Intent, { kind: 'countries' }>): string {
  switch (question.about) {
    case 'neighbours':
      return `Countries that border ${list(question.countries.map(({ name }) => name))}, with their capitals:`;
    case 'facts':
      return `${list(question.countries.map(({ name }) => name))}:`;
    case 'ranking':
      return `The ${question.order} countries${question.region ? ` in ${question.region}` : ''} by area:`;
    case 'list':
      return `${question.landlocked ? 'Landlocked countries' : 'Countries'}${question.region ? ` in ${question.region}` : ''}:`;
  }
}

/** Results of a search: a link each, and the first lines of what is there. */
function writePassages(value: unknown, heading: string, nothing: string): string {
  const fields = toFields(value);
  const found = fields.results ?? fields.passages ?? fields.sections ?? value;
  const passages = Array.isArray(found) ? found.map(toFields).slice(0, MOST_PASSAGES) : [];
  if (passages.length === 0) return nothing;
  return [heading, ...passages.map(writePassage)].join('\n\n');
}

function writePassage(passage: Fields): string {
  const address = first(passage, ['url', 'link', 'path', 'file', 'source']);
  const name = first(passage, ['title', 'heading', 'section']) ?? address ?? 'Untitled';
  const label = name
    .replaceAll(/[[\]\n]/g, ' ')
    .replaceAll(' > ', ' › ')
    .trim();
  const excerpt = first(passage, ['excerpt', 'text', 'content', 'snippet']);
  const link = address && /^https?:\/\/[^\s<>()]+$/.test(address) ? `[${label}](${address})` : label;
  const source = address && link === label && address !== label ? ` (\`${address}\`)` : '';
  return `- **${link}**${source}${excerpt ? `\n\n${indent(quote(quotable(excerpt, 320)))}` : ''}`;
}

function writePage(value: unknown): string {
  const page = toFields(value);
  const address = first(page, ['finalUrl', 'url']);
  const text =
    first(page, ['text', 'content', 'body', 'markdown']) ?? (typeof value === 'string' ? value : '');
  const name = first(page, ['title']) ?? address ?? 'The page';
  const status =
    typeof page.status === 'number' && page.status >= 400 ? `answered with status ${page.status} and ` : '';
  const begins = text.trim() ? `begins:\n\n${quote(shorten(text, 700))}` : 'has no text.';
  const source = address ? `\n\nSource: <${address}>` : '';
  return `**${name.replaceAll(/\s+/g, ' ').trim()}** ${status}${begins}${source}`;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function toFields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function first(fields: Fields, names: readonly string[]): string | undefined {
  return names
    .map((name) => fields[name])
    .find((value): value is string => typeof value === 'string' && value !== '');
}

function show(value: unknown): string {
  if (typeof value === 'number') return Number.isFinite(value) ? numbers.format(value) : String(value);
  if (value === null || value === undefined) return '–';
  if (Array.isArray(value)) return value.map(show).join(', ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}

const cell = (value: unknown) =>
  show(value)
    .replaceAll('|', String.raw`\|`)
    .replaceAll(/\s*\n\s*/g, ' ');
const quote = (text: string) => text.trim().replaceAll(/^/gm, '> ');
const indent = (text: string) => text.replaceAll(/^/gm, '  ');
const list = (names: readonly string[]) => new Intl.ListFormat('en', { type: 'conjunction' }).format(names);

/** `area_km2` as "Area (km²)". */
function title(column: string): string {
  const text = column.replace(/_km2$/, ' (km²)').replaceAll('_', ' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** One paragraph without the marks of Markdown, cut between words. */
function shorten(text: string, length: number): string {
  const line = text
    .replaceAll(/[*`#>|]+/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
  return line.length <= length ? line : `${line.slice(0, length).replace(/\s\S*$/, '')} …`;
}
