import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { checkVolume } from './network-volume.js';

describe('checkVolume', () => {
  it.each([0x6969, 0xff534d42, 0xfe534d42, 0x517b, 0x5346414f])(
    'refuses a network file system of type %d',
    (type) => {
      expect(() => checkVolume('/data', type)).toThrow(
        /\/data is on a network file system \((NFS|SMB.*|AFS)\).*local disk/s,
      );
    },
  );

  it('warns about a file system that may be a network', () => {
    expect(checkVolume('/data', 0x65735546)).toMatch(/FUSE.*local disk/s);
  });

  it('accepts the local file systems ext4, XFS, Btrfs, overlay and tmpfs', () => {
    for (const type of [0xef53, 0x58465342, 0x9123683e, 0x794c7630, 0x01021994, 0])
      expect(checkVolume('/data', type)).toBeUndefined();
  });

  it('looks up the file system of an existing directory and accepts it', () => {
    const directory = mkdtempSync(join(tmpdir(), 'volume-'));
    expect(() => checkVolume(directory)).not.toThrow();
    rmSync(directory, { recursive: true });
  });
});
