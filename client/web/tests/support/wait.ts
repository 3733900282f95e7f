/** Waits until `condition` holds; fails after a patience that no healthy run needs. */
export async function until(
  condition: () => unknown,
  what: string | (() => string) = 'the condition',
  patience = 60_000,
): Promise<void> {
  const end = performance.now() + patience;
  for (;;) {
    if (await condition()) return;
    if (performance.now() > end) {
      throw new Error(`waited in vain for ${typeof what === 'string' ? what : what()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
