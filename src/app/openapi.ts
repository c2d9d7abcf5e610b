import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { DEFAULT_COOKIE_NAME } from '../auth/auth.options.js';
import type { Config } from './config.js';
import { addDiscriminators } from './openapi.discriminator.js';

const DESCRIPTION =
  'Starts agents and streams what they do, live, as Server-Sent Events. A stream can be cut and resumed at any event: ' +
  'send the last id back as `Last-Event-ID`.';

/** Serves the API's description at `/openapi.json` and Swagger UI at `/docs`, its assets included. */
export function serveOpenApi(app: INestApplication, { auth }: Pick<Config, 'auth'>): void {
  SwaggerModule.setup('docs', app, buildOpenApi(app, auth), {
    jsonDocumentUrl: 'openapi.json',
    raw: ['json'],
    customSiteTitle: 'nestjs-agent-stream API',
    // Swagger UI would send the document's address to a validator on the internet.
    swaggerOptions: { validatorUrl: null },
  });
}

/** OpenAPI 3.2, the first version that can say what the items of an event stream are. */
export function buildOpenApi(app: INestApplication, auth: Config['auth']): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setOpenAPIVersion('3.2.0')
    .setTitle('nestjs-agent-stream')
    .setDescription(DESCRIPTION)
    .setVersion('1');
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
  const document = addDiscriminators(SwaggerModule.createDocument(app, builder.build()));
  requireOneOf(schemes, document);
  return document;
}

const METHODS = ['get', 'put', 'post', 'delete', 'patch'] as const;

/** The API needs credentials when any are configured; health checks and the page do not. */
function requireOneOf(schemes: readonly string[], document: OpenAPIObject): void {
  if (schemes.length === 0) return;
  const security = schemes.map((name) => ({ [name]: [] }));
  for (const [path, item] of Object.entries(document.paths)) {
    if (!path.startsWith('/api/')) continue;
    for (const method of METHODS) {
      const operation = item[method];
      if (operation) operation.security ??= security;
    }
  }
}
