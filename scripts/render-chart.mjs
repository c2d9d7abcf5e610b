import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';

// node scripts/render-chart.mjs: writes deploy/kubernetes/agent-stream.yaml from the chart and its default values, for clusters without
// Helm. It knows the part of Helm's language that the chart uses, and refuses every other word, so that the chart stays that simple.

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const CHART = join(ROOT, 'deploy/helm/agent-stream');

export const MANIFESTS = join(ROOT, 'deploy/kubernetes/agent-stream.yaml');

/** The functions that take arguments. */
const CALLS = new Set(['not', 'add', 'default', 'toYaml', 'nindent']);

/** Renders the templates of the chart by name, with these values in place of its own. */
export function renderChart(overrides = {}, releaseName = 'agent-stream') {
  const { appVersion } = parse(readFileSync(join(CHART, 'Chart.yaml'), 'utf8'));
  const context = {
    Values: merge(parse(readFileSync(join(CHART, 'values.yaml'), 'utf8')), overrides),
    Release: { Name: releaseName },
    Chart: { AppVersion: appVersion },
  };
  const templates = readdirSync(join(CHART, 'templates')).toSorted();
  return templates.map((name) => ({
    name,
    text: renderTemplate(readFileSync(join(CHART, 'templates', name), 'utf8'), context),
  }));
}

/** Renders one template, as Helm does. */
export function renderTemplate(template, context) {
  const trimmed = template.replaceAll(/\s*\{\{-/g, '{{').replaceAll(/-\}\}\s*/g, '}}');
  const parts = trimmed.split(/(\{\{.*?\}\})/s);
  const { text, rest } = renderBlock(parts, context);
  if (rest.length > 0) throw new Error('The template has an `end` without a beginning.');
  return text;
}

/** Renders until the `end` of a block, or of the template. `isShown`: false for what a condition leaves out. */
function renderBlock(parts, context, isShown = true) {
  let text = '';
  let rest = parts;
  while (rest.length > 0) {
    const [part, ...others] = rest;
    rest = others;
    if (!part.startsWith('{{')) {
      if (isShown) text += part;
      continue;
    }
    const action = part.slice(2, -2).trim();
    if (action === 'end') return { text, rest: ['', ...rest] };
    const [, range] = /^range \$name, \$value := (.+)$/.exec(action) ?? [];
    const [, condition] = /^if (.+)$/.exec(action) ?? [];
    if (range === undefined && condition === undefined) {
      if (isShown) text += String(evaluate(action, context));
      continue;
    }
    const rounds = condition === undefined ? sortedEntries(evaluate(range, context)) : [[]];
    const shows = isShown && (condition === undefined || Boolean(evaluate(condition, context)));
    let after;
    // Also without a round, to find the end.
    for (const [name, value] of rounds.length > 0 ? rounds : [[]]) {
      const inner = renderBlock(rest, { ...context, $name: name, $value: value }, shows && rounds.length > 0);
      text += inner.text;
      after = inner.rest;
    }
    rest = after.slice(1);
  }
  return { text, rest };
}

/** In the order of the names, as Go has it. */
function sortedEntries(map) {
  return Object.entries(map).toSorted(([one], [other]) => (one < other ? -1 : 1));
}

function evaluate(action, context) {
  const [first, ...pipes] = action.split('|').map((step) => step.trim());
  return pipes.reduce(
    (value, step) => call(step.split(' '), context, value),
    call(first.split(' '), context),
  );
}

function call([name, ...words], context, piped) {
  if (words.length > 0 && !CALLS.has(name)) throw new Error(`The renderer does not know '${name}'.`);
  const values = words.map((word) => lookUp(word, context));
  switch (name) {
    case 'not':
      return !values[0];
    case 'add':
      return values.reduce((sum, value) => sum + Number(value), 0);
    case 'default':
      return piped === undefined || piped === '' ? values[0] : piped;
    case 'quote':
      return JSON.stringify(String(piped));
    case 'toYaml':
      return stringify(values[0]).trimEnd();
    case 'nindent':
      return `\n${piped}`.replaceAll('\n', `\n${' '.repeat(values[0])}`);
    default:
      return lookUp(name, context);
  }
}

function lookUp(word, context) {
  if (/^\d+$/.test(word)) return Number(word);
  if (word === '$name' || word === '$value') return context[word];
  if (!/^(\.[A-Za-z]+)+$/.test(word)) throw new Error(`The renderer does not know '${word}'.`);
  return word
    .slice(1)
    .split('.')
    .reduce((place, key) => place?.[key], context);
}

function merge(values, overrides) {
  if (typeof overrides !== 'object' || overrides === null || Array.isArray(overrides)) return overrides;
  const merged = Object.entries(overrides).map(([key, value]) => [key, merge(values?.[key], value)]);
  return { ...values, ...Object.fromEntries(merged) };
}

/** The manifests of the chart with its default values, as one file. */
export function writeManifests() {
  const head =
    '# Written by `node scripts/render-chart.mjs` from deploy/helm/agent-stream. Change values with kustomize, or use the chart.\n';
  const documents = renderChart().map(({ text }) => text.trim());
  return (
    head +
    documents
      .filter((text) => text !== '')
      .map((text) => `---\n${text}\n`)
      .join('')
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(MANIFESTS, writeManifests());
