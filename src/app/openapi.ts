import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { DEFAULT_COOKIE_NAME } from '../auth/auth.options.js';
import type { Request, Response } from 'express';
import type { ChatConfig } from './config.js';
import { sharedFiles } from './shared-files.js';

const DESCRIPTION =
  'Starts agents and streams what they do, live, as Server-Sent Events. A stream can be cut and resumed at any event: ' +
  'send the last id back as `Last-Event-ID`.';

/** The files of Swagger UI, which comes with Nest's module. */
const SWAGGER_UI = dirname(
  createRequire(createRequire(import.meta.url).resolve('@nestjs/swagger')).resolve(
    'swagger-ui-dist/package.json',
  ),
);

/** Serves the API's description at `/openapi.json` and Swagger UI at `/docs`, its assets included. */
export function serveOpenApi(app: INestApplication, { auth }: Pick<ChatConfig, 'auth'>): void {
  app.use(
    '/docs',
    sharedFiles(SWAGGER_UI, (name) => /\.(js|css|png)$/.test(name)),
  );
  // Built for whoever asks first: it takes longer than the rest of a start, and most processes are never asked.
  const document = once(() => buildOpenApi(app, auth));
  // Written once: Nest's own route would do it again for everybody who asks, and keep a copy for each who does not read it.
  const json = once(() => Buffer.from(JSON.stringify(document())));
  app.getHttpAdapter().get('/openapi.json', (_request: Request, response: Response) => {
    response.type('json').send(json());
  });
  SwaggerModule.setup('docs', app, document, {
    raw: false,
    customSiteTitle: 'nestjs-agent-stream API',
    // Swagger UI would send the document's address to a validator on the internet.
    swaggerOptions: { validatorUrl: null },
  });
}

function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** OpenAPI 3.1, the newest version that generators of clients read in every language. */
export function buildOpenApi(app: INestApplication, auth: ChatConfig['auth']): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('nestjs-agent-stream')
    .setDescription(DESCRIPTION)
    .setVersion('1')
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addServer('/');
  const schemes: string[] = [];
  if (auth.kind === 'credentials') {
    if (auth.jwt) builder.addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' }, 'bearer');
    if (auth.apiKeys) builder.addApiKey({ type: 'apiKey', in: 'header', name: 'X-API-Key' }, 'apiKey');
    const cookie = auth.cookieName ?? DEFAULT_COOKIE_NAME;
    builder.addCookieAuth(
      cookie,
      { type: 'apiKey', description: 'For EventSource, which cannot send headers.' },
      'cookie',
    );
    schemes.push(...(auth.jwt ? ['bearer'] : []), ...(auth.apiKeys ? ['apiKey'] : []), 'cookie');
  }
  const document = SwaggerModule.createDocument(app, builder.build());
  requireAnyScheme(schemes, document);
  return document;
}

const METHODS = ['get', 'put', 'post', 'delete', 'patch'] as const;

/** The API needs credentials when any are configured; health checks and the page do not. */
function requireAnyScheme(schemes: readonly string[], document: OpenAPIObject): void {
  const needed = schemes.map((name) => ({ [name]: [] }));
  for (const [path, item] of Object.entries(document.paths)) {
    const isOpen = path.startsWith('/health/');
    for (const method of METHODS) {
      const operation = item[method];
      if (operation) operation.security ??= isOpen ? [] : needed;
    }
  }
}
