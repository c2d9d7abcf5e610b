import { afterEach, expect } from '@jest/globals';
import { Cluster, type ClusterOptions } from './cluster.js';
import { formatTable, listComplaints, type KillReport } from '../kill-loop/kill-report.js';

/** Of what the tests of one file leave to chance. A failure names it. */
export const seed = Date.now() % 1_000_000;

/** Starts the cluster of a test, which is stopped after it. */
export function clusters(): (options?: Partial<ClusterOptions>) => Promise<Cluster> {
  let cluster: Cluster | undefined;
  afterEach(async () => {
    await cluster?.stop();
    cluster = undefined;
  });
  return async (options = {}) => {
    cluster = await Cluster.start({ seed, ...options });
    return cluster;
  };
}

export function expectNoComplaints(report: KillReport): void {
  process.stdout.write(`\n${formatTable(report)}\n`);
  expect({ seed, complaints: listComplaints(report) }).toEqual({ seed, complaints: [] });
}
