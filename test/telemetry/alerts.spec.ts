import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';

const folder = new URL('../../deploy/prometheus/', import.meta.url);

interface AlertRules {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string }[] }[];
}
interface AlertTests {
  readonly tests: readonly {
    readonly alert_rule_test: readonly {
      readonly alertname: string;
      readonly exp_alerts: readonly unknown[];
    }[];
  }[];
}

const promtool = (...words: string[]) => spawnSync('promtool', words, { encoding: 'utf8' });
const isInstalled = promtool('--version').status === 0;

if (!isInstalled) {
  if (process.env['REQUIRE_PROMTOOL'])
    throw new Error('REQUIRE_PROMTOOL is set and there is no promtool on the PATH.');
  process.stderr.write('\nSKIPPED: tests of the alert rules. Install prometheus.\n\n');
}

describe('alert rules', () => {
  (isInstalled ? it : it.skip)('fire in time, and for nothing else, by their own tests', () => {
    const { status, stdout, stderr } = promtool(
      'test',
      'rules',
      fileURLToPath(new URL('alerts.test.yml', folder)),
    );
    expect({ status, output: stdout + stderr }).toEqual({
      status: 0,
      output: expect.stringContaining('SUCCESS'),
    });
  });

  it('have a test in which they fire', async () => {
    const read = async (file: string): Promise<unknown> =>
      parse(await readFile(new URL(file, folder), 'utf8'));
    const { groups } = (await read('alerts.yml')) as AlertRules;
    const { tests } = (await read('alerts.test.yml')) as AlertTests;
    const fired = tests
      .flatMap(({ alert_rule_test: moments }) => moments)
      .filter(({ exp_alerts: alerts }) => alerts.length > 0);
    const alerts = groups.flatMap(({ rules }) => rules.map(({ alert }) => alert));
    expect(alerts.length).toBeGreaterThan(10);
    expect(new Set(fired.map(({ alertname }) => alertname))).toEqual(new Set(alerts));
  });
});
