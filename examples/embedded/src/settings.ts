const { env } = process;

export const settings = {
  port: Number(env['PORT'] ?? 3000),
  framework: env['FRAMEWORK'] === 'fastify' ? 'fastify' : 'express',
  jwtSecret: new TextEncoder().encode(env['JWT_SECRET']),
  dataDirectory: env['DATA_DIR'] ?? 'data',
  model: env['MODEL'] ?? 'demo',
  modelOptions: {
    apiKey: env['OPENAI_API_KEY'],
    baseUrl: env['OPENAI_BASE_URL'],
    timeoutMs: 60_000,
  },
} as const;
