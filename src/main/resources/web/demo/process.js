// The Replicache package is made for bundlers, which put the value of this name in its place.
globalThis.process ??= {env: {NODE_ENV: 'production'}};
