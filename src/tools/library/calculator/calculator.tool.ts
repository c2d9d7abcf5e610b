import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { assertInstalled } from '../../../optional-packages.js';
import { AgentTool } from '../../agent-tool.decorator.js';
import type { ToolContext } from '../../agent-tool.js';
import { compute } from '../../compute/compute.js';
import { ToolError } from '../../tool.error.js';
import { TaskFaultError, TaskTimeoutError } from '../../workers/worker-pool.js';

/**
 * Time limit for inputs that the checks did not foresee, in milliseconds. Inputs that pass the checks take microseconds. By the
 * wall's clock, so not so little that a thread which waits for its turn on a busy machine is taken for one that computes.
 */
const TIME_LIMIT_MS = 1_000;

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
  /** @throws AppError `CONFIG_INVALID` when `mathjs` is not installed, which is a peer dependency for this tool only */
  constructor() {
    assertInstalled('The tool calculator', ['mathjs']);
  }

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
  async calculate({ expression }: z.output<typeof INPUT>, context: ToolContext): Promise<CalculatorOutput> {
    try {
      return { expression, result: await compute('calculate', expression, TIME_LIMIT_MS, context) };
    } catch (cause) {
      if (cause instanceof TaskFaultError) throw new ToolError(cause.message, { cause });
      if (!(cause instanceof TaskTimeoutError)) throw cause;
      throw new ToolError('The expression takes too long to compute. Use a simpler one.', { cause });
    }
  }
}
