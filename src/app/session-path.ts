/** Path at which browsers sign in. */
export const SESSION_PATH = 'api/auth/session';
