import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { AppModule } from './app.module.js';
import { settings } from './settings.js';

const onFastify = settings.framework === 'fastify';
const app = await NestFactory.create(AppModule, onFastify ? new FastifyAdapter() : new ExpressAdapter());
app.setGlobalPrefix('api');
app.enableShutdownHooks();

const description = new DocumentBuilder().setTitle('Orders').addBearerAuth().build();
SwaggerModule.setup('docs', app, () => SwaggerModule.createDocument(app, description), {
  jsonDocumentUrl: 'docs/openapi.json',
  // On Fastify the page would need @fastify/static.
  ui: !onFastify,
});

await app.listen(settings.port, '127.0.0.1');
console.log(`orders at ${await app.getUrl()}`);
