/** How long anything may take on a busy machine. */
const PATIENCE_MS = 40_000;

const SHORTEST_PAUSE_MS = 2;
const LONGEST_PAUSE_MS = 20;

/** A pause, for pacing and polling only: a test waits with {@link eventually}. */
export function pause(ms) {
  return new Promise(resolve => setTimeout(resolve, ms));
}

/**
 * Waits until `condition` gives something true, and returns that. It looks often at first, then
 * less and less often, and so finds it a tenth late at the most.
 *
 * @param what the condition, for the error of a test that waited in vain; may be a function
 */
export async function eventually(what, condition, patienceMs = PATIENCE_MS) {
  const start = Date.now();
  for (;;) {
    const result = await condition();
    if (result) {
      return result;
    }
    const passed = Date.now() - start;
    if (passed > patienceMs) {
      throw new Error(`not within ${patienceMs} ms: ${typeof what === 'function' ? await what() : what}`);
    }
    await pause(Math.min(Math.max(passed / 10, SHORTEST_PAUSE_MS), LONGEST_PAUSE_MS));
  }
}
