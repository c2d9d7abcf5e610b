// Stock NestJS on Express: an Observable of the floor's events under `@Sse`, and nothing of ours. Without a build step there are
// no decorators, so they are called as what they are: functions.
import 'reflect-metadata';
import { Body, Controller, HttpCode, Module, RequestMethod, Sse } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Observable } from 'rxjs';
import { streamTokens } from './graph-tokens.mjs';

class TokensController {
  stream({ prompt }) {
    return new Observable((subscriber) => {
      const left = new AbortController();
      subscriber.add(() => left.abort());
      let id = 0;
      const send = (type, data) => subscriber.next({ id: String((id += 1)), type, data: { type, ...data } });
      streamTokens(prompt, (delta) => send('text-delta', { delta }), left.signal).then(
        () => {
          send('end', {});
          subscriber.complete();
        },
        (error) => subscriber.error(error),
      );
    });
  }
}
const method = Object.getOwnPropertyDescriptor(TokensController.prototype, 'stream');
Controller('tokens')(TokensController);
Sse('', { method: RequestMethod.POST })(TokensController.prototype, 'stream', method);
HttpCode(200)(TokensController.prototype, 'stream', method);
Body()(TokensController.prototype, 'stream', 0);

class TokensModule {}
Module({ controllers: [TokensController] })(TokensModule);

const app = await NestFactory.create(TokensModule, { logger: ['error'] });
await app.listen(0, '127.0.0.1');
process.stdout.write(`PORT ${app.getHttpServer().address().port}\n`);
