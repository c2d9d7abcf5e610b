/** The database that instances share, as far as counting needs it. */
export interface SharedSql {
  /** The schema that holds the tables `run_starts` and `open_streams`, and the functions `now_ms()` and `take_stream()`. */
  readonly schema: string;
  query<Row>(text: string, values?: readonly unknown[]): Promise<Row[]>;
}
