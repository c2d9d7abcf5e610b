export interface Order {
  readonly id: string;
  readonly company: string;
  readonly state: 'open' | 'shipped';
  readonly lines: readonly { readonly article: string; readonly count: number }[];
}
