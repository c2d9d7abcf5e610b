import { parseArgs } from 'node:util';
import { Workshop } from './hosts/workshop.mjs';
import { tryExample } from './hosts/example.mjs';
import { tryMatrix } from './hosts/matrix.mjs';
import { tryNestAdd } from './hosts/nest-add.mjs';
import { tryNodeVersions } from './hosts/node-versions.mjs';
import { tryPackageManagers } from './hosts/package-managers.mjs';
import { tryReplicas } from './hosts/replicas.mjs';

// npm run try:hosts: packs the package, installs the tarball into empty folders and does there what a team would do: compile, start,
// ask, come back after a cut, generate a client, run the tests under the host's own runner. Without --all the short list that CI runs.
//
// --only matrix,replicas,…   only these trials
// --nest 11                  only this major
// --tarball file.tgz         in place of packing

const TRIALS = {
  /** Nest 11 and 12, Express and Fastify, ESM and CommonJS, Node 22 and 24. */
  matrix: tryMatrix,
  /** Two replicas on one PostgreSQL: a ticket of one at the other, and kill -9 in the middle of an answer. */
  replicas: tryReplicas,
  /** `nest new`, `nest add`, build, test. */
  'nest-add': tryNestAdd,
  /** `examples/embedded` as it is, on both majors. */
  example: tryExample,
  /** pnpm and Yarn, whose folders are not npm's. */
  'package-managers': tryPackageManagers,
  /** Warnings of an installation on Node 20, 22 and 24. */
  'node-versions': tryNodeVersions,
};

/** Trials of CI. The rest is for releases. */
const SHORT = ['matrix', 'replicas'];

const { values } = parseArgs({
  options: {
    all: { type: 'boolean', default: false },
    nest: { type: 'string' },
    only: { type: 'string' },
    tarball: { type: 'string' },
  },
});
const names = values.only?.split(',') ?? (values.all ? Object.keys(TRIALS) : SHORT);
const majors = values.nest ? [Number(values.nest)] : [11, 12];

const workshop = await Workshop.open(values.tarball);
try {
  for (const name of names) await TRIALS[name](workshop, { all: values.all, majors });
} finally {
  await workshop.close();
}
const { passed, failed } = workshop;
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
