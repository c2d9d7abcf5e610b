import { Controller, Get, Module } from '@nestjs/common';
import {
  ApiBadRequestResponse,
  ApiBearerAuth,
  ApiOkResponse,
  ApiOperation,
  ApiProperty,
  DocumentBuilder,
  SwaggerModule,
  type OpenAPIObject,
} from '@nestjs/swagger';
import { ChatModule } from '../../src/chat/chat.module.js';
import { MemoryStorage } from '../../src/storage/memory/memory.storage.js';
import { ScriptedAgent } from '../../src/testing/scripted.agent.js';
import { HostServer } from '../embedding/host.server.js';
import type { Play } from '../support/chat.server.js';

/** A model of the host's own, by a name that our schemas have too. */
class Session {
  @ApiProperty({ description: 'Of the yoga class.' })
  room!: string;
}

@Controller('sessions')
@ApiBearerAuth()
class SessionsController {
  @Get()
  @ApiOperation({ summary: 'The yoga classes' })
  @ApiOkResponse({ type: Session })
  @ApiBadRequestResponse({ description: 'Nonsense.' })
  list(): Session {
    return { room: 'blue' };
  }
}

const chatAt = (path: string, prefix: string, play: Play) =>
  ChatModule.forRoot({
    path,
    protocols: { prefix },
    apiSecurity: ['bearer'],
    storage: new MemoryStorage(),
    auth: { kind: 'local' },
    agents: () => [new ScriptedAgent(play)],
    drainMs: 0,
  });

/** Starts a host that has two chats, every protocol, and routes of its own. */
export async function startHost(play: Play = () => {}): Promise<HostServer> {
  @Module({
    imports: [chatAt('assistant', 'protocols', play), chatAt('desk/sales', 'desk/protocols', play)],
    controllers: [SessionsController],
  })
  class HostModule {}
  return HostServer.start(HostModule);
}

/** Describes the host's API as hosts do it: Nest's builder, and nothing of ours. */
export function describeHost({ app }: HostServer, version: string): OpenAPIObject {
  const config = new DocumentBuilder()
    .setOpenAPIVersion(version)
    .setTitle('A host')
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addServer('/')
    .addBearerAuth();
  return SwaggerModule.createDocument(app, config.build());
}
