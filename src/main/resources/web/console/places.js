/**
 * A browser has six HTTP/1.1 connections to a host, and a stream by HTTP keeps one of them; a WebSocket keeps none. So of
 * such streams the windows of this server have four at most, those of the console and the demo together.
 */
const PLACES = {console: 1, demo: 3};

let isTaken = false; // by this window, where there are no Web Locks to count those of all

/**
 * How the next stream of the console, or of the demo, may be read: by all transports while there is a place, else by a
 * WebSocket alone.
 *
 * @param {'console' | 'demo'} page
 * @returns {Promise<{transports?: string[], giveBack: () => void}>}
 */
export async function takePlace(page) {
  for (let place = 1; place <= PLACES[page]; place++) {
    const giveBack = await take(`replistream ${page} ${place}`);
    if (giveBack) {
      return {giveBack};
    }
  }
  return {transports: ['websocket'], giveBack() {}};
}

/** Takes a place unless another has it, and gives what gives it back. */
async function take(name) {
  const {locks} = navigator; // which are for pages over https, and of this machine
  if (locks) {
    return new Promise(given => {
      const whileHeld = lock => (lock ? new Promise(giveBack => given(giveBack)) : given());
      locks.request(name, {ifAvailable: true}, whileHeld).catch(() => given());
    });
  }
  if (isTaken) {
    return undefined;
  }
  isTaken = true;
  return () => (isTaken = false);
}
