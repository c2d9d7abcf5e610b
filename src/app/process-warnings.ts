/** Returns what is unwise about the process itself, whatever the settings say. */
export function warningsAboutProcess(userId = process.geteuid?.()): string[] {
  if (userId !== 0) return [];
  return [
    'The process runs as root: whatever gets out of a tool or a dependency has the whole machine. Run it as a user of its own, who ' +
      'owns DATA_DIR and may read the rest.',
  ];
}
