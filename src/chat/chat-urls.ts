import type { WebRequest } from '../http/http.types.js';
import type { Run } from '../runs/run.js';

/**
 * The path of a run's event stream, as this client sees it: below whatever prefix, version or mount point the host has put
 * before our routes.
 */
export function toEventsUrl(
  { originalUrl }: Pick<WebRequest, 'originalUrl'>,
  { id }: Pick<Run, 'id'>,
): string {
  const [path = ''] = originalUrl.split('?');
  const root = path.replace(/\/runs(\/.*)?$/, '').replace(/\/+$/, '');
  return `${root}/runs/${id}/events`;
}

/** The path of the file for which a ticket is asked, as this client sees it. */
export function toFileUrl({ originalUrl }: Pick<WebRequest, 'originalUrl'>): string {
  const [path = ''] = originalUrl.split('?');
  return path.replace(/\/ticket\/*$/, '');
}
