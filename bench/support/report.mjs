// Tables, on the screen and in bench/README.md.
//
//   report(name, { title, intro?, tables, notes? })   prints the benchmark's section and puts it into bench/README.md between
//                                                     `<!-- bench:name -->` and `<!-- /bench:name -->`, adding it when absent
//   show({ title, intro?, tables, notes? })           prints it only, and returns it
//       tables: [{ caption?, columns: ['', 'CPU µs/token'], rows: [['ours', '41']] }]; notes: lines below, with what is missed
//   ratio(a, b)        '1.24×'
//   number(x, digits)  '20,281'; '—' for undefined
//   machineLine()      cores, memory, node and date: in each section, because sections may come from different runs
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';

const README = process.env.BENCH_README ?? fileURLToPath(new URL('../README.md', import.meta.url));

export function report(name, content) {
  writeSection(name, show(content));
}

export function show({ title, intro, tables, notes = [] }) {
  const blocks = [
    `### ${title}`,
    `_${machineLine()}_`,
    ...(intro ? [intro] : []),
    ...tables.flatMap(({ caption, ...table }) => [
      ...(caption ? [`**${caption}**`] : []),
      formatTable(table),
    ]),
    ...(notes.length > 0 ? [notes.map((note) => `- ${note}`).join('\n')] : []),
  ];
  const section = blocks.join('\n\n');
  process.stdout.write(`\n${section}\n`);
  return section;
}

export function ratio(one, other) {
  return Number.isFinite(one / other) ? `${(one / other).toFixed(2)}×` : '—';
}

export function number(value, digits = 0) {
  if (value === undefined || !Number.isFinite(value)) return '—';
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export function machineLine() {
  const date = new Date().toISOString().slice(0, 10);
  const memory = Math.round(totalmem() / 1024 ** 3);
  const processor = cpus()[0]?.model.trim() ?? 'unknown processor';
  return `${date} · ${availableParallelism()} cores (${processor}), ${memory} GiB · Node ${process.versions.node}`;
}

function formatTable({ columns, rows }) {
  const all = [columns, ...rows].map((row) => row.map(String));
  const widths = columns.map((_, index) => Math.max(3, ...all.map((row) => row[index].length)));
  const line = (row) =>
    `| ${row.map((cell, index) => (index === 0 ? cell.padEnd(widths[index]) : cell.padStart(widths[index]))).join(' | ')} |`;
  const rule = `| ${widths.map((width, index) => (index === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  const [head, ...body] = all;
  return [line(head), rule, ...body.map(line)].join('\n');
}

/** In one step, without awaiting anything: two benchmarks of one process cannot overwrite each other's section. */
function writeSection(name, section) {
  const [begin, end] = [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`];
  const page = readFileSync(README, 'utf8');
  const block = `${begin}\n\n${section}\n\n${end}`;
  const start = page.indexOf(begin);
  const stop = page.indexOf(end);
  const next =
    start === -1 || stop === -1
      ? `${page.trimEnd()}\n\n${block}\n`
      : page.slice(0, start) + block + page.slice(stop + end.length);
  writeFileSync(README, next);
}
