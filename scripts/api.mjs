import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Extractor, ExtractorConfig } from '@microsoft/api-extractor';

// npm run api: writes etc/api/, one report for each entry of the package: what it exports, with signatures. The reports are committed, so
// that each change of the surface shows in a diff. With --check it writes nothing there and fails when a report is not up to date.

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const FOLDER = join(ROOT, 'etc/api');
const isChecking = process.argv.includes('--check');

const { exports: entries } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

/** Writes or checks the report of one entry. */
function report(entry, types) {
  const name = entry === '.' ? 'root' : entry.slice('./'.length);
  const config = ExtractorConfig.prepare({
    configObjectFullPath: join(ROOT, 'api-extractor.json'),
    packageJsonFullPath: join(ROOT, 'package.json'),
    configObject: {
      projectFolder: ROOT,
      mainEntryPointFilePath: join(ROOT, types),
      newlineKind: 'lf',
      compiler: { tsconfigFilePath: join(ROOT, 'tsconfig.build.json'), skipLibCheck: true },
      apiReport: {
        enabled: true,
        reportFileName: `${name}.api.md`,
        reportFolder: FOLDER,
        reportTempFolder: join(ROOT, 'dist/.api'),
        // Types that are reached without being exported. Those of the root are mostly what services are constructed from.
        includeForgottenExports: entry !== '.',
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: 'error' } },
        // Doc comments are checked by readers, and what has no release tag is public.
        extractorMessageReporting: { default: { logLevel: 'none' } },
        tsdocMessageReporting: { default: { logLevel: 'none' } },
      },
    },
  });
  const result = Extractor.invoke(config, {
    localBuild: !isChecking,
    messageCallback: (message) => {
      if (message.messageId.startsWith('console-')) message.handled = true;
    },
  });
  return { name, isUpToDate: !result.apiReportChanged, hasFailed: result.errorCount > 0 };
}

mkdirSync(FOLDER, { recursive: true });
const reports = Object.entries(entries)
  .filter(([, { types }]) => types)
  .map(([entry, { types }]) => report(entry, types));
const changed = reports.filter(({ isUpToDate }) => !isUpToDate).map(({ name }) => `etc/api/${name}.api.md`);
if (changed.length > 0 && isChecking) {
  console.error(
    `${changed.join(', ')}: not up to date. Run \`npm run api\`, look at the diff, and commit it.`,
  );
}
if (reports.some(({ hasFailed }) => hasFailed) || (isChecking && changed.length > 0)) process.exitCode = 1;
