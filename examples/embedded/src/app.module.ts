import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { ChatModule } from 'nestjs-agent-stream';
import { createChatAgent, createModel } from 'nestjs-agent-stream/langgraph';
import { SqliteStorage } from 'nestjs-agent-stream/storage';
import { JwtGuard } from './auth/jwt.guard.js';
import { getPrincipal } from './auth/user.js';
import { OrdersModule } from './orders/orders.module.js';
import { settings } from './settings.js';

@Module({
  imports: [
    OrdersModule,
    // chat: begin
    ChatModule.forRoot({
      path: 'assistant',
      sessionPath: false,
      storage: new SqliteStorage({ directory: settings.dataDirectory }),
      auth: { kind: 'host', getPrincipal },
      agents: async (kit) => {
        const model = await createModel(settings.model, settings.modelOptions);
        return [createChatAgent({ ...kit, name: 'orders', description: 'Knows your orders.', model })];
      },
    }),
    // chat: end
  ],
  providers: [{ provide: APP_GUARD, useClass: JwtGuard }],
})
export class AppModule {}
