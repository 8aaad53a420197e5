/** The name of a code in a link. It stands behind the `#`, which a browser sends to nobody. */
const CODE = 'join';

/** The code with which the visitor of this page came, or undefined. */
export function codeOfAddress() {
  return new URLSearchParams(location.hash.slice(1)).get(CODE) || undefined;
}

/**
 * Makes a link by which others join a room in the demo. The server tells its code this once.
 *
 * @param {import('./credentials.js').Credentials} owner
 * @returns {Promise<{id: string, href: string, uses: number, expiresAt: string}>}
 */
export async function makeLink(room, role, owner) {
  const answer = await owner.call('POST', `/rooms/${encodeURIComponent(room)}/links`, {role});
  const {code, ...link} = await answer.json();
  return {...link, href: new URL(`/demo#${new URLSearchParams({[CODE]: code})}`, location.href).href};
}
