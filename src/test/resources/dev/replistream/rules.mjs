// The mutators of ScriptServiceRules.
export const mutators = {
  async count(tx, {key, room}) {
    await tx.set(key, ((await tx.get(key, {room})) ?? 0) + 1, {room});
  },

  async make(tx, {room}) {
    await tx.rooms.create(room);
  },

  async fill(tx, {from, count}) {
    for (let i = from; i < from + count; i++) {
      await tx.set(`k/${String(i).padStart(6, '0')}`, i);
    }
  },

  async firstTen(tx) {
    await tx.set('first', await tx.scan({prefix: 'k/', limit: 10}).toArray());
  },

  async who(tx) {
    await tx.set('who', [tx.user, tx.claims.sub, typeof tx.clientID, tx.mutationID]);
  },

  /** Takes too much in calls of the server, which nothing may interrupt. */
  async writeForEver(tx) {
    for (let i = 0; ; i++) {
      await tx.set(`forever/${i % 10}`, i);
    }
  },

  async evaluate(tx, code) {
    await new Function('tx', code)(tx);
  },

  async loop() {
    for (;;);
  },

  async grow() {
    const all = [];
    for (;;) all.push({n: all.length});
  },

  async never(tx) {
    await tx.set('never', 1);
    await new Promise(() => {});
  },

  deep() {
    const deep = n => deep(n + 1) + 1;
    return deep(0);
  },
};
