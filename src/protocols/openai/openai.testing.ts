/** A stream as `openai`'s helpers read it from another runtime: a JSON text a line. */
export function jsonLines(events: readonly unknown[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      const encoder = new TextEncoder();
      for (const event of events) controller.enqueue(encoder.encode(`${JSON.stringify(event)}\n`));
      controller.close();
    },
  });
}
