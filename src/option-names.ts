/** Options that messages name. */
export type NamedOption =
  | 'spec of createModel'
  | 'apiKey of createModel'
  | 'apiKey of createEmbedding'
  | 'url of PostgresStorage'
  | 'listenUrl of PostgresStorage'
  | 'url of RedisHints'
  | 'objects of the storage'
  | 'bucket of S3ObjectStore'
  | 'baseUrl of createModel'
  | 'exposeState of LangGraphAgent'
  | 'operatorRoles'
  | 'tenantOperatorRoles'
  | 'tavilyApiKey of ToolLibraryOptions'
  | 'searxngUrl of ToolLibraryOptions'
  | 'lookupDatabaseUrl of ToolLibraryOptions'
  | 'knowledgeDirectory of ToolLibraryOptions';

let settings: Partial<Readonly<Record<NamedOption, string>>> = {};

/**
 * Names an option as the reader of a message knows it: in a host by the option, in the standalone app by the
 * setting that `nameOptionsBy` gave.
 */
export function nameOption(option: NamedOption): string {
  return settings[option] ?? option;
}

/** Lets messages name settings in place of options, in this process. */
export function nameOptionsBy(names: Readonly<Record<NamedOption, string>>): void {
  settings = names;
}
