import {Credentials} from '/console/credentials.js';

/**
 * The role of the visitor in a room, which is made if there is none.
 *
 * @param {Credentials} visitor
 * @returns {Promise<{role: string, isNew: boolean}>}
 */
export async function enter(room, visitor) {
  const role = await roleIn(room, visitor);
  if (role) {
    return {role, isNew: false};
  }
  try {
    await visitor.call('POST', '/rooms', {id: room});
    return {role: 'owner', isNew: true};
  } catch (error) {
    if (error.status !== 409) {
      throw error;
    }
  }
  const other = await roleIn(room, visitor); // that another window of the visitor has just made
  if (!other) {
    throw new Error('This room is there, and you are not a member of it: open a link of an owner’s, or accept their invitation on the console.');
  }
  return {role: other, isNew: false};
}

async function roleIn(room, visitor) {
  const {rooms} = await (await visitor.call('GET', '/rooms')).json();
  return rooms.find(({id}) => id === room)?.role;
}

/**
 * Joins by the code of a link, which a member may do too.
 *
 * @param {Credentials} visitor
 * @returns {Promise<string>} the room
 */
export async function join(code, visitor) {
  try {
    return (await (await visitor.call('POST', '/join', {code})).json()).room;
  } catch (error) {
    throw error.status === 404 ? new DeadLinkError() : error;
  }
}

/** No attempt with this link will help. */
export class DeadLinkError extends Error {
  constructor() {
    super('This link lets nobody in any more: it has expired, been used up or been deleted. Ask for a new one.');
  }
}
