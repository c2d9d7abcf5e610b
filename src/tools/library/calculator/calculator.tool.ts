import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { AgentTool } from '../../agent-tool.decorator.js';

const INPUT = z.object({
  expression: z
    .string()
    .trim()
    .min(1)
    .max(500)
    .describe('For example (3 + 4) * 2^10, sqrt(2), 12% of 80 as 80 * 12%, or 5 inch to cm.'),
});

export interface CalculatorOutput {
  readonly expression: string;
  /** At most 14 significant digits, with a unit where the expression has one. */
  readonly result: string;
}

@Injectable()
export class CalculatorTool {
  @AgentTool({
    name: 'calculator',
    label: 'Calculating…',
    description:
      'Compute an arithmetic expression: operators, functions (sqrt, log, sin, factorial, mean, …), percent and units. ' +
      'Use it for every calculation instead of doing it in your head.',
    input: INPUT,
    expose: { input: true, output: true },
    timeoutMs: 5_000,
  })
  async calculate({ expression }: z.output<typeof INPUT>): Promise<CalculatorOutput> {
    // mathjs is large: an application whose agents never calculate does not load it.
    const { evaluateExpression } = await import('./expression.js');
    return { expression, result: evaluateExpression(expression) };
  }
}
