/** How long anything may take on a busy machine. */
const PATIENCE_MS = 40_000;

/** A pause, for pacing and polling only: a test waits with {@link eventually}. */
export function pause(ms) {
  return new Promise(resolve => setTimeout(resolve, ms));
}

/**
 * Waits until `condition` gives something true, and returns that.
 *
 * @param what the condition, for the error of a test that waited in vain; may be a function
 */
export async function eventually(what, condition, patienceMs = PATIENCE_MS) {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const result = await condition();
    if (result) {
      return result;
    }
    if (Date.now() > deadline) {
      throw new Error(`not within ${patienceMs} ms: ${typeof what === 'function' ? await what() : what}`);
    }
    await pause(5);
  }
}
