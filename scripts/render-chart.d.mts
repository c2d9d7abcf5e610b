export const MANIFESTS: string;
export function renderChart(
  overrides?: object,
  releaseName?: string,
): { readonly name: string; readonly text: string }[];
export function renderTemplate(template: string, context: object): string;
export function writeManifests(): string;
