import {Credentials, isDevelopment} from '/console/credentials.js';

/** Who owns the rooms that the demo makes in development mode. */
const OWNER = 'demo-owner';

/**
 * Makes sure that there is such a room and that the visitor may write in it. In development mode
 * the page itself lets everybody in; elsewhere the visitor makes the room, or is a member of it.
 *
 * @param {Credentials} visitor
 */
export async function enter(room, visitor) {
  const owner = isDevelopment ? Credentials.ofUser(OWNER) : visitor;
  const {rooms} = await (await owner.call('GET', '/rooms')).json();
  if (!rooms.some(({id}) => id === room)) {
    await make(room, owner);
  }
  if (owner.user !== visitor.user) {
    const member = `/rooms/${encodeURIComponent(room)}/members/${encodeURIComponent(visitor.user)}`;
    await owner.call('PUT', member, {role: 'writer'});
  }
}

async function make(room, owner) {
  try {
    await owner.call('POST', '/rooms', {id: room});
  } catch (error) {
    if (error.status !== 409) {
      throw error;
    }
    if (!isDevelopment) {
      throw new Error('This room is there, and you are not a member of it: ask its owner to let you in.');
    }
    // else another window was faster, and the next step tells whether it was ours
  }
}
