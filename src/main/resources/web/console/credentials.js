/** The base of the API. */
export const API = new URL('/api/v1/replicache', location.href).href;

/** Whether the server signs a token for whoever asks. */
export const isDevelopment = document.documentElement.dataset.development === 'true';

/** An answer that was not 200, with what its problem+json says. */
export class ProblemError extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

async function checked(response) {
  if (!response.ok) {
    const problem = await response.json().catch(() => ({}));
    throw new ProblemError(response.status, problem.detail ?? `The server answered ${response.status}.`);
  }
  return response;
}

/** A user and its token, in memory alone. */
export class Credentials {
  #token;
  #given;

  constructor(user, given) {
    this.user = user;
    this.#given = given;
  }

  /** A user of a server in development mode. */
  static ofUser(user) {
    return new Credentials(user);
  }

  /** The user whose token this is. */
  static ofToken(text) {
    const token = text.trim().replace(/^bearer\s+/i, '');
    const user = subjectOf(token);
    if (!user) {
      throw new TypeError('That is not a token: a JWT has three parts, and a sub in the second.');
    }
    return new Credentials(user, token);
  }

  /** A token that is good as far as anyone here can tell. */
  fresh = async () => {
    this.#token = this.#given ?? (await developmentToken(this.user));
    return this.#token;
  };

  async token() {
    return this.#token ?? this.fresh();
  }

  /** Calls a route of the API, and rejects with a {@link ProblemError} unless it answers 2xx. */
  async call(method, route, body) {
    const headers = {Authorization: `Bearer ${await this.token()}`};
    if (body !== undefined) {
      headers['Content-Type'] = 'application/json';
    }
    return checked(await fetch(API + route, {method, headers, body: body && JSON.stringify(body), cache: 'no-store'}));
  }
}

async function developmentToken(user) {
  const response = await fetch('/development/token', {
    method: 'POST',
    headers: {'Content-Type': 'application/json'},
    body: JSON.stringify({user}),
  });
  return (await (await checked(response)).json()).token;
}

function subjectOf(token) {
  try {
    const base64 = token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/');
    const bytes = Uint8Array.from(atob(base64), character => character.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes)).sub;
  } catch {
    return undefined;
  }
}
