// Nest is ESM and some of its companions are CommonJS: evaluated first, it can be require()d by them without a cycle.
await import('@nestjs/common');
await import('@nestjs/core');

// A rejection nobody handles is a fault in the product or in the test; jest alone would let it pass.
process.on('unhandledRejection', (reason) => {
  throw reason;
});
