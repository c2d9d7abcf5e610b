import { createRequire } from 'node:module';
import { runInNewContext } from 'node:vm';
import type { MathJsInstance, MathNode } from 'mathjs';

/**
 * Milliseconds of computing. Whatever passes the checks below takes microseconds; this is for what we did not think of. By the wall's clock, so
 * not so little that a process which waits for its turn on a busy machine is taken for one that computes.
 */
const TIME_LIMIT_MS = 500;
const DIGITS = 14;

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
  return formatted(inTime(() => node.evaluate() as unknown));
}

function parsed(expression: string): MathNode {
  try {
    return math.parse(expression);
  } catch (cause) {
    throw new Error(`The expression cannot be read: ${messageOf(cause)}`, { cause });
  }
}

function check(node: MathNode): void {
  if (!NODES.has(node.type)) {
    throw new Error(
      'Only one arithmetic expression is allowed: no assignments, functions, texts, ranges or objects.',
    );
  }
  if (math.isConstantNode(node) && typeof node.value === 'string') {
    throw new Error('Texts are not allowed in an expression.');
  }
  if (math.isFunctionNode(node) && !FUNCTIONS.has(node.fn.name)) {
    throw new Error(`There is no function '${node.fn.name}' here. There are: ${[...FUNCTIONS].join(', ')}.`);
  }
  if (math.isSymbolNode(node) && !isKnown(node.name)) {
    throw new Error(`'${node.name}' is no number, constant or unit.`);
  }
}

/** A function's own name is a symbol node too. */
function isKnown(name: string): boolean {
  return FUNCTIONS.has(name) || CONSTANTS.has(name) || math.Unit.isValuelessUnit(name);
}

/** A new context with a time limit is the one way to stop a synchronous computation on this thread. */
function inTime(compute: () => unknown): unknown {
  try {
    return runInNewContext('compute()', { compute }, { timeout: TIME_LIMIT_MS });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') {
      throw new Error('The expression takes too long to compute. Use a simpler one.', { cause });
    }
    throw new Error(`The expression cannot be computed: ${messageOf(cause)}`, { cause });
  }
}

function formatted(value: unknown): string {
  if (typeof value === 'function' || value === undefined) throw new Error('The expression has no value.');
  const text = math.format(value, { precision: DIGITS });
  if (/\b(?:Infinity|NaN)\b/.test(text)) {
    throw new Error('The result is no finite number: it is too large for the calculator, or undefined.');
  }
  return text;
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
