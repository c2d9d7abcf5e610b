import { readFileSync } from 'node:fs';
import { validatePrices, type PriceTable } from '../runs/prices.js';

/**
 * Reads a file of prices.
 *
 * @throws Error whose message says what to write instead
 */
export function readPricesFile(path: string): PriceTable {
  const table = parse(path);
  const [error] = validatePrices(table, 'its content');
  if (error !== undefined) throw new Error(error);
  return table as PriceTable;
}

function parse(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`it cannot be read: ${(error as NodeJS.ErrnoException).code}`, { cause: error });
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error('it is not JSON', { cause: error });
  }
}
