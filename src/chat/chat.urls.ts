import type { Request } from 'express';
import type { Run } from '../runs/run.js';

/**
 * The path of a run's event stream, as this client sees it: below whatever prefix, version or mount point the host has put
 * before our routes.
 */
export function eventsUrlOf({ originalUrl }: Pick<Request, 'originalUrl'>, { id }: Pick<Run, 'id'>): string {
  const [path = ''] = originalUrl.split('?');
  const root = path.replace(/\/runs(\/.*)?$/, '').replace(/\/+$/, '');
  return `${root}/runs/${id}/events`;
}
