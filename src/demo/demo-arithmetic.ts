/** A calculation, in the notation of the calculator tool. */
export interface Calculation {
  readonly expression: string;
  /** The N in "N% of it", kept apart so that "and 20%?" can take its place. */
  readonly percentBase?: string;
}

const NUMBER = String.raw`-?\d+(?:\.\d+)?`;

/** Reads a calculation out of a sentence; undefined when there is none. "that" and "it" mean the previous calculation. */
export function readCalculation(text: string, previous?: Calculation): Calculation | undefined {
  const plain = text
    .toLowerCase()
    .replaceAll(/(?<=\d),(?=\d{3}\b)/g, '')
    .replaceAll(/\d{4}-\d\d-\d\d/g, ' ');
  return (
    readPercentage(plain, previous) ?? (previous && readContinuation(plain, previous)) ?? readFormula(plain)
  );
}

function readPercentage(text: string, previous: Calculation | undefined): Calculation | undefined {
  const percent = new RegExp(String.raw`(${NUMBER})\s*(?:%|percent)(?:\s+of\s+(${NUMBER}|that|it)\b)?`).exec(
    text,
  );
  if (!percent?.[1]) return undefined;
  const base = percent[2];
  if (base && /\d/.test(base)) return toPercentage(percent[1], base);
  if (!previous) return undefined;
  return toPercentage(
    percent[1],
    base ? `(${previous.expression})` : (previous.percentBase ?? `(${previous.expression})`),
  );
}

const toPercentage = (percent: string, base: string): Calculation => ({
  expression: `${base} * ${percent} / 100`,
  percentBase: base,
});

/** "double that", "and half of it", "divide it by 3", "plus 10", "add 5". */
function readContinuation(text: string, { expression }: Calculation): Calculation | undefined {
  const before = `(${expression})`;
  const rules: readonly (readonly [RegExp, (number: string) => string])[] = [
    [/\bdouble\s+(?:that|it)\b/, () => `${before} * 2`],
    [/\btriple\s+(?:that|it)\b/, () => `${before} * 3`],
    [/\b(?:half of|halve)\s+(?:that|it)\b/, () => `${before} / 2`],
    [/\bsquare\s+(?:that|it)\b|\b(?:that|it)\s+squared\b/, () => `${before} ^ 2`],
    [/\bsquare root of\s+(?:that|it)\b/, () => `sqrt(${expression})`],
    [
      new RegExp(String.raw`^(?:and |now |then )*(?:plus|add|\+)\s*(${NUMBER})`),
      (number) => `${before} + ${number}`,
    ],
    [
      new RegExp(String.raw`^(?:and |now |then )*(?:minus|subtract|-)\s*(${NUMBER})`),
      (number) => `${before} - ${number}`,
    ],
    [
      new RegExp(String.raw`^(?:and |now |then )*(?:times|multipl[yied]+(?: that| it)? by|\*)\s*(${NUMBER})`),
      (number) => `${before} * ${number}`,
    ],
    [
      new RegExp(String.raw`^(?:and |now |then )*(?:divided?(?: that| it)? by|over|/)\s*(${NUMBER})`),
      (number) => `${before} / ${number}`,
    ],
  ];
  for (const [pattern, write] of rules) {
    const match = pattern.exec(text);
    if (match) return { expression: write(match[1] ?? '') };
  }
  return undefined;
}

/** Words of arithmetic to signs, most particular first. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [new RegExp(String.raw`\b(?:square root|sqrt) of (${NUMBER})`, 'g'), ' sqrt($1) '],
  [new RegExp(String.raw`\b(?:twice|double) (${NUMBER})`, 'g'), ' 2 * $1 '],
  [new RegExp(String.raw`\bhalf of (${NUMBER})`, 'g'), ' $1 / 2 '],
  [new RegExp(String.raw`\bsum of (${NUMBER}) and (${NUMBER})`, 'g'), ' $1 + $2 '],
  [new RegExp(String.raw`\bproduct of (${NUMBER}) and (${NUMBER})`, 'g'), ' $1 * $2 '],
  [/\bplus\b/g, '+'],
  [/\bminus\b/g, '-'],
  [/\btimes\b|\bmultiplied by\b|[×·]|(?<=\d\s*)x(?=\s*\d)/g, '*'],
  [/\bdivided by\b|\bover\b|÷/g, '/'],
  [/\bto the power of\b|\*\*/g, '^'],
  [/\s*\bsquared\b/g, '^2'],
  [/\s*\bcubed\b/g, '^3'],
];

function readFormula(text: string): Calculation | undefined {
  let signs = text.replaceAll(/https?:\S+/g, ' ');
  for (const [pattern, sign] of WORDS) signs = signs.replaceAll(pattern, sign);
  const runs = signs.match(/(?:sqrt\(|[-(]\s*)*\d(?:sqrt\(|[\d.()\s+*/^-])*/g) ?? [];
  const run = runs.map((text) => text.trim().replaceAll(/\s+/g, ' ')).find(isCalculation);
  return run === undefined ? undefined : { expression: run.replace(/[.\s+*/^-]+$/, '') };
}

/** A function, or a sign between two numbers. "10-12" without spaces is more often a range than a subtraction. */
function isCalculation(run: string): boolean {
  return isBalanced(run) && (run.includes('sqrt(') || /[\d)]\s*[+*/^]\s*[(\d-]|[\d)]\s+-\s+[(\d]/.test(run));
}

function isBalanced(run: string): boolean {
  return run.split('(').length === run.split(')').length;
}
