import { statfsSync } from 'node:fs';
import { ProblemError } from './problem.ts';

// The types of Linux's statfs(2).
const NETWORK: Readonly<Record<number, string>> = {
  0x6969: 'NFS',
  0xff534d42: 'SMB (CIFS)',
  0xfe534d42: 'SMB',
  0x517b: 'SMB',
  0x5346414f: 'AFS',
  0x6b414653: 'AFS',
  0x564c: 'NCP',
  0x73757245: 'Coda',
};

/** Types of file systems that may be on another machine, or may not. */
const UNCLEAR: Readonly<Record<number, string>> = {
  0x65735546: 'FUSE',
  0x00c36400: 'Ceph',
  0x01021997: '9P',
};

/**
 * Refuses what SQLite's locks do not work on; they fail there at some later moment, in words that say nothing of it.
 *
 * @param type that of the file system, as statfs gives it; default: that of the directory
 * @returns a warning for the operator
 */
export function checkVolume(directory: string, type = readType(directory)): string | undefined {
  const network = NETWORK[type];
  if (network !== undefined) {
    throw new ProblemError(
      'STORAGE_FAILED',
      `The data directory ${directory} is on a network file system (${network}), where SQLite does not work. Name a directory on a local ` +
        'disk, or use a Postgres database instead.',
    );
  }
  const unclear = UNCLEAR[type];
  return (
    unclear &&
    `The data directory ${directory} is on a file system (${unclear}) that may lead to another machine. SQLite needs a local disk: ` +
      'elsewhere it may fail at any time, and damage the data.'
  );
}

/** 0 where that is not told, or not in Linux's numbers. */
function readType(directory: string): number {
  if (process.platform !== 'linux') return 0;
  try {
    // A long, which is negative for some of them on 32 bits.
    return statfsSync(directory).type >>> 0;
  } catch {
    return 0;
  }
}
