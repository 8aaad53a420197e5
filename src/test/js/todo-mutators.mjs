/** The client's side of the example's `TodoMutators`. */
export const todoMutators = {
  createList: (tx, list) => tx.set(`list/${list.id}`, list),

  async deleteList(tx, id) {
    await tx.del(`list/${id}`);
    for (const [key] of await ofList(tx, id)) {
      await tx.del(key);
    }
  },

  async createTodo(tx, todo) {
    const others = await ofList(tx, todo.listID);
    const sort = Math.max(0, ...others.map(([, {sort}]) => sort ?? 0)) + 1;
    await tx.set(`todo/${todo.id}`, {...todo, sort});
  },

  async updateTodo(tx, changes) {
    await tx.set(`todo/${changes.id}`, {...(await tx.get(`todo/${changes.id}`)), ...changes});
  },

  async deleteTodo(tx, id) {
    await tx.del(`todo/${id}`);
  },

  createShare: (tx, share) => tx.set(`share/${share.id}`, share),

  async deleteShare(tx, id) {
    await tx.del(`share/${id}`);
  },

  /** Built-in, and refused by the example. */
  put: (tx, {key, value}) => tx.set(key, value),
};

/** The todos and shares of a list. */
async function ofList(tx, listID) {
  const todos = await tx.scan({prefix: 'todo/'}).entries().toArray();
  const shares = await tx.scan({prefix: 'share/'}).entries().toArray();
  return [...todos, ...shares].filter(([, value]) => value.listID === listID);
}
