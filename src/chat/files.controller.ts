import {
  Controller,
  Delete,
  Get,
  Header,
  HttpCode,
  Param,
  Post,
  Query,
  Req,
  StreamableFile,
} from '@nestjs/common';
import { ApiParam, ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal } from '../auth/authentication.js';
import { BodyBytes } from '../http/body-bytes.js';
import { Endpoint } from '../http/endpoint.decorator.js';
import type { WebRequest } from '../http/http.types.js';
import { SchemaPipe } from '../http/validate.js';
import type { Principal } from '../principal.js';
import type { StoredBlob } from '../runs/blob.store.js';
import { FileService } from '../runs/file.service.js';
import {
  uploadedSchema,
  uploadQuerySchema,
  type UploadedDto,
  type UploadQueryDto,
} from '../streams/file.schemas.js';

/** The files of conversations. Their content may come from strangers, so no browser may run it or guess its type. */
@ApiTags('files')
@Controller()
export class FilesController {
  constructor(
    private readonly files: FileService,
    private readonly bodies: BodyBytes,
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
    @CurrentPrincipal() principal: Principal,
    @Query(new SchemaPipe(uploadQuerySchema)) { name, type: mediaType }: UploadQueryDto,
  ): Promise<UploadedDto> {
    return this.bodies.read(request, principal, this.files.maxFileBytes, (data) =>
      this.files.upload(principal, { data, name, mediaType }),
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

  @Get('files/:fileId')
  @ApiParam({ name: 'fileId', description: 'The `fileId` of a file in a log.' })
  @Header('X-Content-Type-Options', 'nosniff')
  @Header('Content-Security-Policy', "default-src 'none'; sandbox")
  @Header('Cross-Origin-Resource-Policy', 'same-origin')
  @Endpoint({
    summary: 'Get a file of one of your conversations',
    description: 'Images, audio and video are shown in place; everything else is a download.',
    reply: { status: 200, description: 'The bytes.' },
    reads: true,
    problems: ['NOT_FOUND'],
  })
  async get(
    @CurrentPrincipal() principal: Principal,
    @Param('fileId') fileId: string,
  ): Promise<StreamableFile> {
    const blob = await this.files.get(principal, fileId);
    return new StreamableFile(blob.data, {
      type:
        isShown(blob) || blob.mediaType === 'application/pdf' ? blob.mediaType : 'application/octet-stream',
      disposition: toDisposition(blob),
      length: blob.data.byteLength,
    });
  }
}

/** True for types that a browser shows without running anything. */
function isShown({ mediaType }: StoredBlob): boolean {
  return /^(image\/(png|jpeg|gif|webp|avif)|audio\/[\w-]+|video\/[\w-]+)$/.test(mediaType);
}

function toDisposition(blob: StoredBlob): string {
  const disposition = isShown(blob) ? 'inline' : 'attachment';
  const { name } = blob;
  if (name === undefined) return disposition;
  const encoded = encodeURIComponent(name).replaceAll(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16)}`,
  );
  return `${disposition}; filename*=UTF-8''${encoded}`;
}
