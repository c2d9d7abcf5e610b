// Stock NestJS on Express: one Subject under `@Sse`, and nothing of ours.
import 'reflect-metadata';
import { Controller, Module, Sse } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { startWith, Subject } from 'rxjs';
import { onSpeech, READY } from './speech.mjs';

const said = new Subject();
onSpeech((events) => events.forEach((event) => said.next(event)));

class EventsController {
  events() {
    return said.pipe(startWith(READY));
  }
}
// Without a build step there are no decorators, so they are called as what they are: functions.
const { prototype } = EventsController;
Controller()(EventsController);
Sse('events')(prototype, 'events', Object.getOwnPropertyDescriptor(prototype, 'events'));

class EventsModule {}
Module({ controllers: [EventsController] })(EventsModule);

const app = await NestFactory.create(EventsModule, { logger: ['error'] });
await app.listen(0, '127.0.0.1');
process.stdout.write(`PORT ${app.getHttpServer().address().port}\n`);
