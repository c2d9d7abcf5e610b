import type { NestExpressApplication } from '@nestjs/platform-express';

export interface AppRoute {
  /** Upper case. */
  readonly method: string;
  /** With parameters as Express writes them: `/runs/:runId`. */
  readonly path: string;
}

interface Layer {
  readonly route?: { readonly path: string; readonly methods: Readonly<Record<string, boolean>> };
}

/** Lists the routes that the app has, as the app itself knows them: a new one is in the list without anybody adding it. */
export function listRoutes(app: NestExpressApplication): AppRoute[] {
  const express = app.getHttpAdapter().getInstance() as {
    readonly router: { readonly stack: readonly Layer[] };
  };
  return express.router.stack.flatMap(({ route }) =>
    route
      ? Object.keys(route.methods).map((method) => ({ method: method.toUpperCase(), path: route.path }))
      : [],
  );
}

/** Fills in the parameters of a path; one that has no value gets its own name. */
export function pathWith({ path }: AppRoute, values: Readonly<Record<string, string>> = {}): string {
  return path.replace(/:(\w+)/g, (_all, name: string) => encodeURIComponent(values[name] ?? name));
}
