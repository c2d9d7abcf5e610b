import { registerHooks } from 'node:module';

// As in an installation without the optional packages.
registerHooks({
  resolve(specifier, context, nextResolve) {
    if (!specifier.startsWith('@opentelemetry/')) return nextResolve(specifier, context);
    throw Object.assign(new Error(`Cannot find package '${specifier}'`), { code: 'ERR_MODULE_NOT_FOUND' });
  },
});
