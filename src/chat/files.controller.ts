import {
  Controller,
  Delete,
  Get,
  Header,
  Headers,
  HttpCode,
  Param,
  Post,
  Query,
  Req,
  Res,
  type StreamableFile,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ApiHeader, ApiParam, ApiQuery, ApiTags } from '@nestjs/swagger';
import { AcceptsTicket } from '../auth/accepts-ticket.decorator.js';
import { CurrentPrincipal, getAuthentication } from '../auth/authentication.js';
import { TicketService } from '../auth/ticket.service.js';
import { BodyBytes } from '../http/body-bytes.js';
import { Endpoint } from '../http/endpoint.decorator.js';
import type { WebRequest, WebResponse } from '../http/http.types.js';
import { Downloads, Uploads } from '../throttling/file-transfers.js';
import { SchemaPipe } from '../http/validate.js';
import type { Principal } from '../principal.js';
import { FileService } from '../runs/file.service.js';
import {
  fileTicketSchema,
  uploadedSchema,
  uploadQuerySchema,
  type FileTicketDto,
  type UploadedDto,
  type UploadQueryDto,
} from '../streams/file.schemas.js';
import { toFileUrl } from './chat-urls.js';
import { toFileReply } from './file-reply.js';

/** The files of conversations. Their content may come from strangers, so no browser may run it or guess its type. */
@ApiTags('files')
@Controller()
export class FilesController {
  constructor(
    private readonly files: FileService,
    private readonly bodies: BodyBytes,
    private readonly uploads: Uploads,
    private readonly downloads: Downloads,
    private readonly tickets: TicketService,
    private readonly adapterHost: HttpAdapterHost,
  ) {}

  @Post('files')
  @Endpoint({
    summary: 'Upload a file for a message',
    description:
      'The body is the file. Its type is told by its bytes; `type` counts only for text. The reply has the `fileId` that a message names. A file that no message names is removed after a while.',
    reply: { status: 201, description: 'The file.', schema: uploadedSchema },
    takesBytes: true,
    query: uploadQuerySchema,
    problems: ['REQUEST_TOO_LARGE', 'ENCODING_UNSUPPORTED', 'FILE_REFUSED', 'FILES_FULL', 'SERVER_BUSY'],
  })
  upload(
    @Req() request: WebRequest,
    @Res({ passthrough: true }) response: WebResponse,
    @CurrentPrincipal() principal: Principal,
    @Query(new SchemaPipe(uploadQuerySchema)) { name, type: mediaType }: UploadQueryDto,
  ): Promise<UploadedDto> {
    return this.bodies.read(request, principal, this.files.maxFileBytes, (data) =>
      // Not before: a client that sends slowly would have a place for as long as it likes.
      this.uploads.inTurn(request, response, () => this.files.upload(principal, { data, name, mediaType })),
    );
  }

  @Delete('files/:fileId')
  @ApiParam({ name: 'fileId', description: 'The `fileId` of an upload.' })
  @HttpCode(204)
  @Endpoint({
    summary: 'Remove an upload that no message names',
    description: 'A file of a conversation stays, and is removed with it.',
    reply: { status: 204, description: 'It is removed, or stays.' },
    problems: ['NOT_FOUND'],
  })
  remove(@CurrentPrincipal() principal: Principal, @Param('fileId') fileId: string): Promise<void> {
    return this.files.remove(principal, fileId);
  }

  @Post('files/:fileId/ticket')
  @ApiParam({ name: 'fileId', description: 'The `fileId` of a file in a log.' })
  @HttpCode(200)
  @Endpoint({
    summary: 'Get a URL that shows a file for some minutes',
    description:
      'For an `img` or a link of a front end that sends its credentials in headers. The URL opens this file and nothing else, and ends with the session that asked for it.',
    reply: { status: 200, description: 'The ticket, and the URL with it.', schema: fileTicketSchema },
    problems: ['NOT_FOUND'],
  })
  async ticket(@Req() request: WebRequest, @Param('fileId') fileId: string): Promise<FileTicketDto> {
    const authentication = getAuthentication(request);
    const { id } = await this.files.describe(authentication.principal, fileId);
    const { ticket, expiresAt } = await this.tickets.issue(authentication, { kind: 'file', id });
    return { ticket, expiresAt, url: `${toFileUrl(request)}?ticket=${encodeURIComponent(ticket)}` };
  }

  @Get('files/:fileId')
  @AcceptsTicket({ kind: 'file', parameter: 'fileId' })
  @ApiParam({ name: 'fileId', description: 'The `fileId` of a file in a log.' })
  @ApiQuery({
    name: 'ticket',
    required: false,
    description: 'In place of credentials, which an image cannot send.',
  })
  @ApiHeader({ name: 'range', required: false, description: 'One range of bytes: `bytes=0-1023`.' })
  @Header('X-Content-Type-Options', 'nosniff')
  @Header('Content-Security-Policy', "default-src 'none'; sandbox")
  @Header('Referrer-Policy', 'no-referrer')
  @Header('Cross-Origin-Resource-Policy', 'same-origin')
  @Endpoint({
    summary: 'Get a file of one of your conversations',
    description:
      'Images, audio and video are shown in place; everything else is a download. With `Range`: 206, or 416 beyond the end.',
    reply: { status: 200, description: 'The bytes.' },
    problems: ['NOT_FOUND'],
  })
  async get(
    @Req() request: WebRequest,
    @Res({ passthrough: true }) response: WebResponse,
    @Param('fileId') fileId: string,
    @Headers('range') range?: string,
  ): Promise<StreamableFile> {
    const { principal, via } = getAuthentication(request);
    const file = await this.downloads.inTurn(request, response, {
      describe: () => this.files.describe(principal, fileId),
      read: () => this.files.get(principal, fileId),
    });
    const { status, headers, body } = toFileReply(file, range);
    const { httpAdapter } = this.adapterHost;
    for (const [name, value] of Object.entries(headers)) httpAdapter.setHeader(response, name, value);
    // The ticket alone opens the file: a front end of another origin may show it.
    if (via === 'ticket') httpAdapter.setHeader(response, 'Cross-Origin-Resource-Policy', 'cross-origin');
    httpAdapter.status(response, status);
    return body;
  }
}
