// What `etc/bench sync --rules` measures, and the AOT cache of an image with --script is trained with.
export const mutators = {
  async set(tx, {key, value}) {
    await tx.set(key, value);
  },

  async change(tx, {key, value}) {
    await tx.set(key, {...(await tx.get(key)), ...value});
  },
};
