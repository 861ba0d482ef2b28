/**
 * The buffers, each once, that can be moved to another thread with these views: those that hold nothing else. The
 * others are copied by the structured clone.
 */
export function transferableBuffers(views: readonly ArrayBufferView[]): ArrayBuffer[] {
  const buffers = views
    .filter((view) => view.byteLength === view.buffer.byteLength && view.byteLength > 0)
    .map((view) => view.buffer)
    .filter((buffer) => buffer instanceof ArrayBuffer);
  return [...new Set(buffers)];
}
