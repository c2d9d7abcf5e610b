export const NODE_22 = `node-${process.platform}-${process.arch}`;

export const NEST = {
  11: {
    nest: {
      common: '^11.2.0',
      core: '^11.2.0',
      'platform-express': '^11.2.0',
      'platform-fastify': '^11.2.0',
      swagger: '^11.4.0',
      testing: '^11.0.0',
    },
    typescript: '^5.9.0',
  },
  12: {
    nest: {
      common: '^12.5.0',
      core: '^12.5.0',
      'platform-express': '^12.5.0',
      'platform-fastify': '^12.5.0',
      swagger: '^12.0.0',
      testing: '^12.0.0',
    },
    typescript: '^6.0.0',
  },
};

/** Packages that every host has beside Nest: our peers, a model's provider, and the drivers of PostgreSQL. */
export const HOST_PACKAGES = [
  'zod@^4.6.0',
  'rxjs@^7.8.2',
  'reflect-metadata@^0.2.2',
  'langchain@^1.5.14',
  '@langchain/core@^1.4.0',
  '@langchain/langgraph@^1.7.3',
  '@langchain/langgraph-checkpoint@^1.2.2',
  '@langchain/openai@^1.6.0',
];

export const PACKAGES = [
  ...HOST_PACKAGES,
  'pg@^8.23.0',
  '@langchain/langgraph-checkpoint-postgres@^1.0.5',
  'jose@^6.2.0',
  '@types/node@^24',
  '@types/jest@^30',
  'jest@^30',
  'ts-jest@^29.4',
  '@swc/core@^1',
  '@swc/jest@^0.2',
  'vitest@^5',
  'unplugin-swc@^2',
];
