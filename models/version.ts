/** The version of this package, as files and reports record it. A test compares it with package.json. */
export const version = '0.1.0';
