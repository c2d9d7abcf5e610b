// Also runs in a thread, from the sources: erasable TypeScript only.
import { createRequire } from 'node:module';
import type { MathJsInstance, MathNode } from 'mathjs';

const DIGITS = 14;
/** For functions that count up to their argument. What is beyond is no finite number, but for few cases. */
const LARGEST_COUNT = 100_000;

// In one file, as for browsers: the thousand modules of the package take ten times as long to load, nearly half a second in
// which nothing else happens.
const math = createRequire(import.meta.url)('mathjs/lib/browser/math.js') as MathJsInstance;
math.config({ number: 'number', matrix: 'Array' });

/**
 * Everything an expression may call. A list of what is allowed and not of what is dangerous, because mathjs grows.
 * Absent are: what reads or changes mathjs itself (`import`, `config`, `evaluate`, `parse`, `simplify`, …), what makes
 * much out of little (`zeros`, `range`, `resize`, …), and what takes a callback.
 */
const FUNCTIONS = new Set(
  (
    'abs cbrt ceil cube exp expm1 fix floor gcd hypot lcm log log10 log1p log2 mod nthRoot pow round sign sqrt square ' +
    'sin cos tan asin acos atan atan2 sinh cosh tanh asinh acosh atanh sec csc cot ' +
    'max min mean median mode sum prod std variance quantileSeq mad count ' +
    'factorial gamma combinations permutations re im conj arg to number unit det inv transpose dot cross norm'
  ).split(' '),
);
const CONSTANTS = new Set(['pi', 'e', 'tau', 'phi', 'i', 'PI', 'E', 'true', 'false']);
const NODES = new Set([
  'ConstantNode',
  'SymbolNode',
  'OperatorNode',
  'ParenthesisNode',
  'FunctionNode',
  'ArrayNode',
  'ConditionalNode',
  'RelationalNode',
]);

/**
 * The value of an arithmetic expression, as text with at most 14 significant digits.
 *
 * @throws Error, written for the model: what is wrong with the expression
 */
export function evaluateExpression(expression: string): string {
  const node = parsed(expression);
  node.traverse(check);
  return formatted(computed(node));
}

function parsed(expression: string): MathNode {
  try {
    return math.parse(expression);
  } catch (cause) {
    throw new Error(`The expression cannot be read: ${getMessage(cause)}`, { cause });
  }
}

function check(node: MathNode): void {
  if (!NODES.has(node.type)) {
    throw new Error(
      'Only one arithmetic expression is allowed: no assignments, functions, strings, ranges or objects.',
    );
  }
  if (math.isConstantNode(node) && typeof node.value === 'string') {
    throw new Error('Strings are not allowed in an expression.');
  }
  if (math.isFunctionNode(node) && !FUNCTIONS.has(node.fn.name)) {
    throw new Error(`There is no function '${node.fn.name}' here. There are: ${[...FUNCTIONS].join(', ')}.`);
  }
  if (math.isSymbolNode(node) && !isKnown(node.name)) {
    throw new Error(`'${node.name}' is not a number, constant or unit.`);
  }
}

/** A function's own name is a symbol node too. */
function isKnown(name: string): boolean {
  return FUNCTIONS.has(name) || CONSTANTS.has(name) || math.Unit.isValuelessUnit(name);
}

/** In place of mathjs's own, which take as many steps as their arguments say. */
const BOUNDED = Object.fromEntries(
  (['combinations', 'permutations'] as const).map((name) => [
    name,
    (...counts: number[]): unknown => {
      if (counts.some((count) => !(Math.abs(count) <= LARGEST_COUNT))) {
        throw new Error(`${name} takes numbers up to ${LARGEST_COUNT.toLocaleString('en')}.`);
      }
      return (math[name] as (...counts: number[]) => unknown)(...counts);
    },
  ]),
);

function computed(node: MathNode): unknown {
  try {
    return node.evaluate({ ...BOUNDED });
  } catch (cause) {
    throw new Error(`The expression cannot be computed: ${getMessage(cause)}`, { cause });
  }
}

function formatted(value: unknown): string {
  if (typeof value === 'function' || value === undefined) throw new Error('The expression has no value.');
  const text = math.format(value, { precision: DIGITS });
  if (/\b(?:Infinity|NaN)\b/.test(text)) {
    throw new Error('The result is not a finite number: it is too large for the calculator, or undefined.');
  }
  return text;
}

function getMessage(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
