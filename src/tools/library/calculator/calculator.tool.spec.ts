import { describe, expect, it } from '@jest/globals';
import { callContext } from '../../tool.testing.js';
import { CalculatorTool } from './calculator.tool.js';

const calculator = new CalculatorTool();

async function result(expression: string): Promise<string> {
  return (await calculator.calculate({ expression }, callContext())).result;
}

describe('CalculatorTool', () => {
  it.each([
    ['(3 + 4) * 2^10', '7168'],
    ['0.1 + 0.2', '0.3'],
    ['80 * 12%', '9.6'],
    ['sqrt(2)', '1.4142135623731'],
    ['sin(pi / 2)', '1'],
    ['mean(1, 2, 6)', '3'],
    ['5 inch to cm', '12.7 cm'],
    ['factorial(20)', '2.4329020081766e+18'],
    ['max([1, 7, 3])', '7'],
    ['2 > 1 ? 10 : 20', '10'],
    ['combinations(5, 2)', '10'],
  ])('computes the expression %s', async (expression, expected) => {
    expect(await result(expression)).toBe(expected);
  });

  it.each([
    'import({ a: 1 })',
    'createUnit("foo")',
    'evaluate("1")',
    'parse("1")',
    'simplify("x + x")',
    'derivative("x^2", "x")',
    'config({})',
    'typed()',
    'chain(1)',
    'reviver()',
    'help(sin)',
    'print("$a", 1)',
    'format(1)',
    'map([1], f)',
    'zeros(100000, 100000)',
    'ones(1e9)',
    'range(1, 1e9)',
    'identity(100000)',
    'resize([1], [1e9])',
    'random()',
    'constructor',
    'sin.constructor',
    '[].constructor',
    'sqrt.constructor("return process")()',
    'cos["constructor"]',
    '{ a: 1 }',
    'a = 1',
    'f(x) = f(x)',
    '1; 2',
    '1:1000000000',
    '"text"',
    'version',
    'process',
    '__proto__',
    'sin',
  ])('refuses the expression %s', async (expression) => {
    await expect(result(expression)).rejects.toThrow();
  });

  it.each(['9^9^9^9', 'factorial(1000000)', '1 / 0', '0 / 0', 'gamma(500)', '[1, 1 / 0]', '1e308 * 10'])(
    'refuses the expression %s, whose result is not a finite number',
    async (expression) => {
      await expect(result(expression)).rejects.toThrow('not a finite number');
    },
  );

  it.each([
    'combinations(2e15, 1e15)',
    'permutations(1e9, 5e8)',
    'combinations(1e9, 5e8) + combinations(1e9, 5e8)',
  ])('refuses the expression %s, whose numbers are too large', async (expression) => {
    await expect(result(expression)).rejects.toThrow('takes numbers up to 100,000');
  });

  it.each(['1 +', '(', '1 2 3', 'foo + 1', 'nosuch(1)', 'sqrt()'])(
    'tells the model what is wrong with the expression %s',
    async (expression) => {
      await expect(result(expression)).rejects.toThrow(/^(The expression|There is no function|'foo' is)/);
    },
  );
});
