import type { NamedOption } from '../../option-names.js';
import type { SettingName } from './settings.js';

/** The settings that options in messages are, in the standalone app. */
export const SETTINGS_OF_OPTIONS: Readonly<Record<NamedOption, SettingName>> = {
  'spec of createModel': 'MODEL',
  'apiKey of createModel': 'MODEL_API_KEY',
  'apiKey of createEmbedding': 'OPENAI_API_KEY',
  'baseUrl of createModel': 'MODEL_BASE_URL',
  'url of PostgresStorage': 'DATABASE_URL',
  'listenUrl of PostgresStorage': 'DATABASE_LISTEN_URL',
  'url of RedisHints': 'REDIS_URL',
  'objects of the storage': 'FILES_S3_BUCKET',
  'bucket of S3ObjectStore': 'FILES_S3_BUCKET',
  'exposeState of LangGraphAgent': 'EXPOSED_STATE',
  operatorRoles: 'AUTH_OPERATOR_ROLES',
  tenantOperatorRoles: 'AUTH_TENANT_OPERATOR_ROLES',
  'tavilyApiKey of ToolLibraryOptions': 'TAVILY_API_KEY',
  'searxngUrl of ToolLibraryOptions': 'SEARXNG_URL',
  'lookupDatabaseUrl of ToolLibraryOptions': 'LOOKUP_DATABASE_URL',
  'knowledgeDirectory of ToolLibraryOptions': 'KNOWLEDGE_DIR',
};
